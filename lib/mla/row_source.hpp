// Rows of a dense matrix that is held as doubles or as codes, widened a piece at a time: cache rows
// and weights are never held in fp64 as a whole.

#pragma once

#include <cstdint>
#include <span>

#include "scenario/scenario.hpp"

namespace helixcheck {

class RowSource {
 public:
  // A view of row-major values, rows of `width`.
  RowSource(const double* values, std::int64_t width);
  // A view of codes of `dtype`, each worth code * scale.
  RowSource(Dtype dtype, const void* codes, std::int64_t width, double scale = 1.0);

  std::int64_t width() const { return width_; }
  // Codes of the first row, each worth code * scale(); nullptr where values are held as doubles.
  const void* codes() const;
  Dtype dtype() const { return dtype_; }
  double scale() const { return scale_; }

  // The same matrix without its first `count` rows.
  RowSource without_first(std::int64_t count) const;

  // out.size() elements from (row, column) on, in memory order.
  void read(std::int64_t row, std::int64_t column, std::span<double> out) const;

 private:
  const double* values_ = nullptr;  // nullptr: codes
  const void* codes_ = nullptr;
  Dtype dtype_ = Dtype::fp32;
  double scale_ = 1.0;
  std::int64_t width_ = 0;
  std::int64_t first_row_ = 0;
};

}  // namespace helixcheck
