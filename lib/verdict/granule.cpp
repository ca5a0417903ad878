// The lowest set bit of each value, found in its bits.

#include "verdict/granule.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "mla/format_codes.hpp"
#include "mla/formats.hpp"

namespace helixcheck {
namespace {

double lowest_bit(double x) {
  int exponent = 0;
  const double fraction = std::frexp(std::abs(x), &exponent);
  const auto mantissa = static_cast<std::uint64_t>(std::ldexp(fraction, 53));
  return std::ldexp(1.0, exponent - 53 + std::countr_zero(mantissa));
}

// There are few different codes of up to 16 bits: of a million rows each is looked at once.
std::vector<double> different_values(Dtype dtype, const std::byte* data, std::int64_t count) {
  std::vector<char> occurs(std::size_t{1} << 16);
  codes::dispatch(dtype, [&](auto format) {
    using Code = typename decltype(format)::Code;
    for (std::int64_t i = 0; i < count; ++i) {
      Code code;
      std::memcpy(&code, data + i * std::int64_t{sizeof(Code)}, sizeof(Code));
      occurs[code & 0xffffu] = 1;
    }
  });
  std::vector<double> values;
  for (std::uint32_t code = 0; code < occurs.size(); ++code) {
    if (occurs[code] != 0) values.push_back(decode(dtype, code));
  }
  return values;
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
  const auto* bytes = static_cast<const std::byte*>(rows.codes);
  std::vector<double> values;
  if (rows.dtype != Dtype::fp32) {
    values = different_values(rows.dtype, bytes, count * width);
    for (double& value : values) value *= rows.scale;
    return granule(values);
  }
  double smallest = std::numeric_limits<double>::infinity();
  values.resize(static_cast<std::size_t>(width));
  for (std::int64_t i = 0; i < count; ++i) {
    decode_to(rows.dtype, bytes, values);
    for (double& value : values) value *= rows.scale;
    smallest = std::min(smallest, granule(values));
    bytes += width * static_cast<std::int64_t>(size_of(rows.dtype));
  }
  return smallest;
}

}  // namespace helixcheck
