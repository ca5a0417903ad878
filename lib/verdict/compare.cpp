// The book-keeping; what is accepted, acceptance.hpp says.

#include "verdict/compare.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>

#include "mla/acceptance.hpp"
#include "mla/formats.hpp"

namespace helixcheck {
namespace {

using acceptance::clamped;
using acceptance::kInfinity;
using acceptance::raw_ratio;

}  // namespace

bool accepts(Dtype format, double got, double want, double bound) {
  return codes::dispatch(
      format, [&](auto type) { return acceptance::accepts<decltype(type)>(got, want, bound); });
}

double error_ratio(Dtype format, double got, double want, double bound) {
  return codes::dispatch(
      format, [&](auto type) { return acceptance::error_ratio<decltype(type)>(got, want, bound); });
}

// As acceptance::weigh, with sums that stay in registers and the seldom part out of the way.
template <typename Format>
void Tally::compare_as(Dtype format, std::span<const double> got, std::span<const double> want,
                       std::span<const double> bound, const Place& first) {
  Place place = first;
  double square_bound = 0, square_want = 0, largest = result_.max_abs_error;
  double worst = result_.worst_ratio;
  std::int64_t failures = 0, inexact = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double error = std::abs(got[i] - want[i]);
    const double allowance = bound[i] + acceptance::half_spacing<Format>(want[i]);
    if (std::abs(want[i]) < kInfinity) {
      square_bound += bound[i] * bound[i];
      square_want += want[i] * want[i];
    }
    inexact += bound[i] > 0;
    if (error > largest && error < kInfinity) largest = error;
    const bool clear = acceptance::surely_accepted<Format>(got[i], want[i], bound[i]);
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

void Tally::compare(Dtype format, std::span<const double> got, std::span<const double> want,
                    std::span<const double> bound, const Place& first) {
  assert(got.size() == want.size() && bound.size() == want.size());
  codes::dispatch(format,
                  [&](auto type) { compare_as<decltype(type)>(format, got, want, bound, first); });
}

void Tally::absorb(const Evidence& seen, const Place& worst) {
  record(seen.worst.ratio, seen.worst.got, seen.worst.want, seen.worst.bound, worst);
  result_.failures += seen.failures;
  result_.max_abs_error = std::max(result_.max_abs_error, seen.max_abs_error);
  values_ += seen.values;
  inexact_ += seen.inexact;
  square_bound_ += seen.square_bound;
  square_want_ += seen.square_want;
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
        std::isfinite(error) ? raw_ratio(error, half_ulp(format, expected)) : kInfinity;
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
