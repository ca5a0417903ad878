// The bounds of bounds.hpp with their dependence on scores taken out.

#include "property/hull.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "mla/formats.hpp"
#include "verdict/bounds.hpp"
#include "verdict/span_reference.hpp"

namespace helixcheck {
namespace {

constexpr double kVanishing = 104;  // a partial further below the largest has no weight in fp32

}  // namespace

Hull::Hull(std::int64_t latent)
    : low(static_cast<std::size_t>(latent), std::numeric_limits<double>::infinity()),
      high(static_cast<std::size_t>(latent), -std::numeric_limits<double>::infinity()) {}

void Hull::widen(std::span<const double> values) {
  for (std::size_t j = 0; j < low.size(); ++j) {
    low[j] = std::min(low[j], values[j]);
    high[j] = std::max(high[j], values[j]);
  }
}

double Hull::size(std::size_t j) const {
  return std::max(std::abs(low[j]), std::abs(high[j]));
}

// The share of vanishing probabilities is largest where the top score is the whole LSE.
double mean_error(const Contract& attending, const Problem& problem, std::int64_t keys,
                  double size) {
  if (size == 0) return 0;
  bounds::AttendFacts facts;
  facts.head.score_scale = 1;  // scores are not all zero
  facts.visible = keys;
  facts.width = problem.kv_lora_rank + problem.qk_rope_head_dim;
  facts.dtype = problem.dtype;
  facts.scaled_keys = scale_rounds(problem);
  const bounds::ValueBound rule = bounds::attend_value(attending, facts);
  const double error =
      (rule.magnitude + rule.rounded_p + rule.value + rule.absolute * static_cast<double>(keys)) *
          size +
      rule.underflow;
  return error + half_ulp(problem.dtype, size + error);
}

double merged_mean_error(const Contract& merging, const bounds::MergeFormat& format,
                         std::int64_t parts, double lse_size, double size, double carried) {
  if (size == 0 && carried == 0) return 0;
  bounds::MergeFacts facts;
  facts.parts = parts;
  facts.form = format.form;
  facts.dtype = format.dtype;
  facts.lse = lse_size;
  facts.max_size = lse_size + kVanishing;
  const bounds::MergeBound rule = bounds::merge(merging, facts);
  return carried + rule.magnitude * (size + carried) + rule.underflow;
}

}  // namespace helixcheck
