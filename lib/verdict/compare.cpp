// Most values of a clean run are decided by one subtraction and the spacing of the format at the
// value; only near the edge of the acceptance set are its ends rounded.

#include "verdict/compare.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>

#include "mla/formats.hpp"

namespace helixcheck {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::uint64_t kExponentBits = 0x7ff0000000000000u;

// half_ulp() without the dispatch on the format.
double half_ulp_at(const FormatTraits& format, double x) {
  const double power = std::bit_cast<double>(std::bit_cast<std::uint64_t>(x) & kExponentBits);
  return std::max(power * format.unit, format.min_subnormal * 0.5);
}

// A sufficient condition: the error beyond the bound is within half the spacing at either value, so
// that `got` is the nearest code to the nearer end of [want - bound, want + bound]. (Where `got` is
// a power of two and `want` below it, the spacing at `want` is the narrower one.)
bool surely_accepted(const FormatTraits& format, double got, double want, double bound) {
  const double beyond = std::abs(got - want) - bound;
  return beyond < half_ulp_at(format, got) && beyond < half_ulp_at(format, want);
}

double raw_ratio(double error, double allowance) {
  if (error == 0) return 0;
  return std::isfinite(error) && allowance > 0 ? error / allowance : kInfinity;
}

double clamped(double ratio, bool accepted) {
  if (accepted) return std::min(ratio, 1.0);
  return std::max(ratio, std::nextafter(1.0, 2.0));
}

}  // namespace

bool accepts(Dtype format, double got, double want, double bound) {
  if (std::isnan(want)) return std::isnan(got);
  if (std::isnan(got)) return false;
  if (std::isinf(want)) return got == round_to(format, want);  // fp8-e4m3 saturates
  return round_to(format, want - bound) <= got && got <= round_to(format, want + bound);
}

double error_ratio(Dtype format, double got, double want, double bound) {
  const bool accepted = accepts(format, got, want, bound);
  if (!std::isfinite(got) || !std::isfinite(want)) return accepted ? 0 : kInfinity;
  const double allowance = bound + half_ulp_at(traits(format), want);
  return clamped(raw_ratio(std::abs(got - want), allowance), accepted);
}

void Tally::compare(Dtype format, std::span<const double> got, std::span<const double> want,
                    std::span<const double> bound, const Place& first) {
  assert(got.size() == want.size() && bound.size() == want.size());
  const FormatTraits facts = traits(format);
  Place place = first;
  double square_bound = 0, square_want = 0, largest = result_.max_abs_error;
  double worst = result_.worst_ratio;
  std::int64_t failures = 0, inexact = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double error = std::abs(got[i] - want[i]);
    const double allowance = bound[i] + half_ulp_at(facts, want[i]);
    if (std::abs(want[i]) < kInfinity) {
      square_bound += bound[i] * bound[i];
      square_want += want[i] * want[i];
    }
    inexact += bound[i] > 0;
    if (error > largest && error < kInfinity) largest = error;
    const bool clear = surely_accepted(facts, got[i], want[i], bound[i]);
    if (clear && error <= worst * allowance) continue;
    const double ratio = clear ? error / allowance : error_ratio(format, got[i], want[i], bound[i]);
    failures += ratio > 1;
    if (!(ratio > worst)) continue;
    worst = ratio;
    place.element = first.element + static_cast<std::int64_t>(i);
    record(ratio, got[i], want[i], bound[i], place);
  }
  result_.max_abs_error = largest;
  result_.failures += failures;
  square_bound_ += square_bound;
  square_want_ += square_want;
  inexact_ += inexact;
  values_ += static_cast<std::int64_t>(got.size());
}

void Tally::compare(Dtype format, double got, double want, double bound, const Place& place) {
  compare(format, {&got, 1}, {&want, 1}, {&bound, 1}, place);
}

void Tally::compare_derived(double got, double want, double bound, const Place& place) {
  ++values_;
  ++inexact_;
  if (got == want || (std::isnan(got) && std::isnan(want))) return;
  const double error = std::abs(got - want);
  if (std::isfinite(want)) {
    square_bound_ += bound * bound;
    square_want_ += want * want;
  }
  const bool accepted = error <= bound && std::isfinite(error);
  const double ratio = std::isnan(error) ? kInfinity : clamped(raw_ratio(error, bound), accepted);
  if (std::isfinite(error)) result_.max_abs_error = std::max(result_.max_abs_error, error);
  record(ratio, got, want, bound, place);
  result_.failures += !accepted;
}

void Tally::compare_codes(Dtype format, const void* got, const void* want, std::int64_t count,
                          const Place& first) {
  values_ += count;
  if (count == 0 ||
      std::memcmp(got, want, static_cast<std::size_t>(count) * size_of(format)) == 0) {
    return;
  }
  Place place = first;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint32_t code = load_code(format, got, i);
    const std::uint32_t wanted = load_code(format, want, i);
    if (code == wanted) continue;
    const double value = decode(format, code), expected = decode(format, wanted);
    const double error = std::abs(value - expected);
    const double ratio =
        std::isfinite(error) ? raw_ratio(error, half_ulp_at(traits(format), expected)) : kInfinity;
    place.element = first.element + i;
    add_rejected(ratio, value, expected, 0, place);
  }
}

void Tally::compare_integer(std::int64_t got, std::int64_t want, const Place& place) {
  ++values_;
  if (got == want) return;
  const double value = static_cast<double>(got), expected = static_cast<double>(want);
  add_rejected(std::abs(value - expected) / 0.5, value, expected, 0, place);
}

void Tally::add_rejected(double ratio, double got, double want, double bound, const Place& place) {
  ++result_.failures;
  const double error = std::abs(got - want);
  if (std::isfinite(error)) result_.max_abs_error = std::max(result_.max_abs_error, error);
  record(clamped(ratio, false), got, want, bound, place);
}

void Tally::record(double ratio, double got, double want, double bound, const Place& place) {
  if (ratio <= result_.worst_ratio) return;
  result_.worst_ratio = ratio;
  result_.worst = place;
  result_.worst_got = got;
  result_.worst_want = want;
  result_.worst_bound = bound;
}

void Tally::absorb(const Tally& other) {
  const TapResult& r = other.result_;
  record(r.worst_ratio, r.worst_got, r.worst_want, r.worst_bound, r.worst);
  result_.failures += r.failures;
  result_.max_abs_error = std::max(result_.max_abs_error, r.max_abs_error);
  values_ += other.values_;
  inexact_ += other.inexact_;
  square_bound_ += other.square_bound_;
  square_want_ += other.square_want_;
}

TapResult Tally::result(Tap tap) const {
  TapResult out = result_;
  out.tap = tap;
  out.values = values_;
  out.exact = inexact_ == 0;
  if (square_bound_ > 0) {
    out.blindness = square_want_ > 0 ? std::sqrt(square_bound_ / square_want_) : kInfinity;
  }
  return out;
}

}  // namespace helixcheck
