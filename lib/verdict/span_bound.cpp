// The composed bounds, with their derivation.

#include "verdict/span_bound.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "mla/formats.hpp"

namespace helixcheck::bounds {
namespace {

constexpr double kUnit = 0x1p-24;
constexpr double kLargestShift = 0.05;  // of an LSE; beyond it nothing is first order

MergeFacts facts_of(const MergeFormat& format, std::int64_t part_count,
                    std::span<const SpanPart> parts) {
  MergeFacts facts;
  facts.parts = part_count;
  facts.form = format.form;
  facts.dtype = format.dtype;
  double top = -std::numeric_limits<double>::infinity(), bottom = -top;
  double highest = top, lowest = bottom;
  for (const SpanPart& part : parts) {
    top = std::max(top, part.lse);
    bottom = std::min(bottom, part.lse);
    highest = std::max(highest, part.gauge);
    lowest = std::min(lowest, part.gauge);
    facts.max_size = std::max({facts.max_size, std::abs(part.lse), std::abs(part.gauge)});
  }
  facts.gap = std::max(top - bottom, highest - lowest);
  double sum = 0;
  for (const SpanPart& part : parts) sum += std::exp(part.lse - top);
  facts.lse = top + std::log(sum);
  return facts;
}

}  // namespace

// Exact: o = sum w_r o_r, w_r = exp(lse_r - lse). Received: x_r with |x_r - o_r| <= B_r and
// lse_r + d_r with |d_r| <= t. The weights of the received statistics are w_r exp(d_r) / sum w_s
// exp(d_s), between w_r e^-2t and w_r e^2t. The exact merge o' of what was received obeys
//   o' - o = sum w'_r (x_r - o_r) + sum (w'_r - w_r) (o_r - o),
// the second sum because sum w_r (o_r - o) = 0 and sum w'_r = 1; hence
//   |o' - o| <= e^2t sum w_r B_r + (e^2t - 1) sum w_r |o_r - o| =: S.
// The merge's own arithmetic adds its bound at what was received:
//   sum w'_r |x_r| <= e^2t sum w_r (|o_r| + B_r)
//   sum w'_r |x_r - o'| <= e^2t sum w_r (|o_r - o| + B_r) + S.
// The merged LSE is off by t, since it is a maximum-like mean of the lse_r, and by the merge.
SpanResult merged(const Contract& contract, const MergeFormat& format, std::int64_t part_count,
                  std::span<const SpanPart> parts, std::span<double> o, std::span<double> error) {
  MergeFacts facts = facts_of(format, part_count, parts);
  double shift = 0;
  for (const SpanPart& part : parts) shift = std::max(shift, part.lse_error);
  SpanResult result;
  result.lse = facts.lse;
  facts.gap += 2 * shift;
  facts.max_size += shift;
  const MergeBound rule = merge(contract, facts);
  result.lse_error = shift + rule.lse;
  result.credible = std::isfinite(facts.lse) && shift <= kLargestShift &&
                    rule.spread <= kLargestShift && rule.magnitude <= kLargestShift;
  const double grow = std::exp(2 * shift);
  for (std::size_t j = 0; j < o.size(); ++j) {
    double value = 0, magnitude = 0, carried = 0, spread = 0;
    for (const SpanPart& part : parts) {
      const double weight = std::exp(part.lse - facts.lse);
      value += weight * part.o[j];
      magnitude += weight * std::abs(part.o[j]);
      carried += weight * part.error[j];
    }
    for (const SpanPart& part : parts) {
      spread += std::exp(part.lse - facts.lse) * std::abs(part.o[j] - value);
    }
    const double received = grow * carried + (grow - 1) * spread;
    o[j] = value;
    error[j] = received + rule.magnitude * grow * (magnitude + carried) +
               rule.spread * (grow * (spread + carried) + received) + rule.underflow;
    if (magnitude == 0 && carried == 0) error[j] = 0;
    if (!std::isfinite(value) || !std::isfinite(error[j])) result.credible = false;
  }
  return result;
}

void stored_partial(const Contract& contract, const AttendFacts& facts, Dtype dtype,
                    std::span<const double> o, std::span<const double> square,
                    std::span<const double> sum_abs, std::span<double> error) {
  const ValueBound rule = attend_value(contract, facts);
  const double largest = traits(dtype).max_finite;
  for (std::size_t j = 0; j < o.size(); ++j) {
    const double before = rule(square[j], o[j], sum_abs[j]);
    const double reach = std::abs(o[j]) + before;
    error[j] = reach < largest ? before + (reach > 0 ? half_ulp(dtype, reach) : 0)
                               : std::numeric_limits<double>::infinity();
  }
}

// One store, and where the form is not the natural logarithm one conversion each way; (max, sum)
// keeps two numbers of the size of m and 1.
double stored_lse(const Contract& contract, const AttendFacts& facts) {
  const double size = std::abs(facts.head.lse) + std::abs(facts.head.max_score) + 2;
  return attend_lse(contract, facts) + 4 * kUnit * size;
}

}  // namespace helixcheck::bounds
