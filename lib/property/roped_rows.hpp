// Rotated vectors as a subject stored them, and how far each element may be from an exact rotation.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mla/inputs.hpp"
#include "verdict/contract.hpp"

namespace helixcheck {

class RopedRows {
 public:
  // Both must outlive the object.
  RopedRows(const Inputs& inputs, const Contract& projecting)
      : inputs_(inputs), contract_(projecting) {}

  // Appends one vector [P] as stored in the model's dtype, or read from a cache that was written
  // from there.
  void add_query(std::span<const double> stored, std::int64_t position);
  void add_key(std::span<const double> stored, std::int64_t position);

  std::span<const double> value(std::size_t row) const { return part(values_, row); }
  std::span<const double> error(std::size_t row) const { return part(errors_, row); }
  bool known(std::size_t row) const { return known_[row]; }  // false: a store had overflown
  std::size_t size() const { return known_.size(); }

 private:
  void add(std::span<const double> stored, std::int64_t position, bool cached);
  double store_error(double value, bool cached) const;
  std::span<const double> part(const std::vector<double>& all, std::size_t row) const {
    const auto width = static_cast<std::size_t>(inputs_.problem().qk_rope_head_dim);
    return std::span(all).subspan(row * width, width);
  }

  const Inputs& inputs_;
  const Contract& contract_;
  std::vector<double> values_, errors_;  // [rows, P]
  std::vector<bool> known_;
};

// |error| of the dot product of two such rows, when the values stored stand for exact rotations.
double dot_error(std::span<const double> a, std::span<const double> a_error,
                 std::span<const double> b, std::span<const double> b_error);

}  // namespace helixcheck
