// The lowest set bit of each value, found in its bits.

#include "verdict/granule.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "mla/formats.hpp"

namespace helixcheck {
namespace {

double lowest_bit(double x) {
  int exponent = 0;
  const double fraction = std::frexp(std::abs(x), &exponent);
  const auto mantissa = static_cast<std::uint64_t>(std::ldexp(fraction, 53));
  return std::ldexp(1.0, exponent - 53 + std::countr_zero(mantissa));
}

}  // namespace

double granule(std::span<const double> values) {
  double smallest = std::numeric_limits<double>::infinity();
  for (const double value : values) {
    if (!std::isfinite(value)) return 0;
    if (value != 0) smallest = std::min(smallest, lowest_bit(value));
  }
  return smallest;
}

double granule(const stages::CacheRows& rows, std::int64_t count, std::int64_t width) {
  double smallest = std::numeric_limits<double>::infinity();
  std::vector<double> row(static_cast<std::size_t>(width));
  const auto* bytes = static_cast<const std::byte*>(rows.codes);
  for (std::int64_t i = 0; i < count; ++i) {
    decode_to(rows.dtype, bytes, row);
    for (double& value : row) value *= rows.scale;
    smallest = std::min(smallest, granule(row));
    bytes += width * static_cast<std::int64_t>(size_of(rows.dtype));
  }
  return smallest;
}

}  // namespace helixcheck
