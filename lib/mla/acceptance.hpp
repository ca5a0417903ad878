// The acceptance set of a value stored in a format, and how one value adds to the evidence; formats
// as types of mla/format_codes.hpp. What the set is, compare.hpp says. All constexpr, so that
// device code judges by the same lines.

#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "mla/evidence.hpp"
#include "mla/format_codes.hpp"

namespace helixcheck::acceptance {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kAboveOne = 1.0 + std::numeric_limits<double>::epsilon();

template <typename Float>
constexpr Float magnitude(Float x) {
  return std::abs(x);
}
constexpr bool is_nan(double x) {
  return x != x;
}
constexpr bool is_infinite(double x) {
  return magnitude(x) == kInfinity;
}
constexpr bool is_finite(double x) {
  return magnitude(x) < kInfinity;
}

// What a store keeps of x.
template <typename Format>
constexpr double stored(double x) {
  return Format::decode(Format::encode(x));
}

// Half the distance between neighbouring values at |x|.
template <typename Format>
constexpr double half_spacing(double x) {
  constexpr double unit = codes::power_of_two<double>(-Format::kMantissa - 1);
  constexpr double least =
      codes::power_of_two<double>(Format::kMinExponent - Format::kMantissa - 1);
  constexpr std::uint64_t exponent = std::uint64_t{0x7ff} << 52;
  const double power = std::bit_cast<double>(std::bit_cast<std::uint64_t>(x) & exponent);
  const double half = power * unit;
  return half < least ? least : half;
}

template <typename Format>
constexpr bool accepts(double got, double want, double bound) {
  if (is_nan(want)) return is_nan(got);
  if (is_nan(got)) return false;
  if (is_infinite(want)) return got == stored<Format>(want);  // fp8-e4m3 saturates
  return stored<Format>(want - bound) <= got && got <= stored<Format>(want + bound);
}

constexpr double raw_ratio(double error, double allowance) {
  if (error == 0) return 0;
  return is_finite(error) && allowance > 0 ? error / allowance : double{kInfinity};
}

// To the side of 1 that the acceptance decides.
constexpr double clamped(double ratio, bool accepted) {
  return accepted ? (ratio > 1.0 ? 1.0 : ratio) : (ratio > kAboveOne ? ratio : double{kAboveOne});
}

template <typename Format>
constexpr double error_ratio(double got, double want, double bound) {
  const bool accepted = accepts<Format>(got, want, bound);
  if (!is_finite(got) || !is_finite(want)) return accepted ? 0 : double{kInfinity};
  return clamped(raw_ratio(magnitude(got - want), bound + half_spacing<Format>(want)), accepted);
}

// A sufficient condition: the error beyond the bound is within half the spacing at either value, so
// that `got` is the nearest code to the nearer end of [want - bound, want + bound]. (Where `got` is
// a power of two and `want` below it, the spacing at `want` is the narrower one.)
template <typename Format>
constexpr bool surely_accepted(double got, double want, double bound) {
  const double beyond = magnitude(got - want) - bound;
  return beyond < half_spacing<Format>(got) && beyond < half_spacing<Format>(want);
}

// Adds one value. Most are decided by one subtraction and the spacing of the format; only near the
// edge of the acceptance set are its ends rounded.
template <typename Format>
constexpr void weigh(double got, double want, double bound, std::int64_t row, std::int64_t element,
                     Evidence& seen) {
  const double error = magnitude(got - want);
  const double allowance = bound + half_spacing<Format>(want);
  ++seen.values;
  if (is_finite(want)) {
    seen.square_bound += bound * bound;
    seen.square_want += want * want;
  }
  seen.inexact += bound > 0;
  if (error > seen.max_abs_error && error < kInfinity) seen.max_abs_error = error;
  const bool clear = surely_accepted<Format>(got, want, bound);
  if (clear && error <= seen.worst.ratio * allowance) return;
  const double ratio = clear ? error / allowance : error_ratio<Format>(got, want, bound);
  seen.failures += ratio > 1;
  if (ratio > seen.worst.ratio) seen.worst = {ratio, row, element, got, want, bound};
}

}  // namespace helixcheck::acceptance
