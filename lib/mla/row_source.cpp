// Widening of matrix pieces. See row_source.hpp.

#include "mla/row_source.hpp"

#include <algorithm>
#include <cstddef>

#include "mla/formats.hpp"

namespace helixcheck {

RowSource::RowSource(const double* values, std::int64_t width) : values_(values), width_(width) {}

RowSource::RowSource(Dtype dtype, const void* codes, std::int64_t width, double scale)
    : codes_(codes), dtype_(dtype), scale_(scale), width_(width) {}

RowSource RowSource::without_first(std::int64_t count) const {
  RowSource rest = *this;
  rest.first_row_ += count;
  return rest;
}

const void* RowSource::codes() const {
  if (codes_ == nullptr) return nullptr;
  return static_cast<const std::byte*>(codes_) +
         static_cast<std::size_t>(first_row_ * width_) * size_of(dtype_);
}

void RowSource::read(std::int64_t row, std::int64_t column, std::span<double> out) const {
  const std::int64_t offset = (first_row_ + row) * width_ + column;
  if (values_ != nullptr) {
    std::copy_n(values_ + offset, out.size(), out.begin());
    return;
  }
  const auto bytes = static_cast<std::size_t>(offset) * size_of(dtype_);
  decode_to(dtype_, static_cast<const std::byte*>(codes_) + bytes, out);
  if (scale_ != 1.0) {
    for (double& value : out) value *= scale_;
  }
}

}  // namespace helixcheck
