// Stage `combine` as a template of its decisions, so that a mutant replaces exactly one of them.
//
// A partial without keys has LSE -inf and no weight, whatever its values hold: it is left out, not
// multiplied by zero, since 0 * NaN is NaN.

#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "subject/cpu/instance.hpp"
#include "subject/views.hpp"

namespace helixcheck::cpu {

struct MergeDecisions {
  static constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

  static float natural_lse(const hxc_step& step, std::int64_t part, std::int64_t row,
                           std::int64_t head) {
    const float value = float_at(step.exchanged_lse, part, row, head);
    switch (step.place->lse_form) {
      case HXC_LSE_LN: return value;
      case HXC_LSE_LOG2: return value * std::numbers::ln2_v<float>;
      default:
        return value == kMinusInfinity
                   ? kMinusInfinity
                   : value + std::log(float_at(step.exchanged_lse, part, row, head, 1));
    }
  }
  // What the LSEs of a lane are compared with, from their maximum.
  static float reference(float top) { return top; }
  // Whether a partial has a weight; `top`: the largest LSE.
  static bool counts(float lse, float) { return lse != kMinusInfinity; }
  static float weight(float lse, float reference) { return std::exp(lse - reference); }
  // The weighted sum so far and one partial's share more.
  static float add(float sum, float share) { return sum + share; }
  // Whether any of the partials saw a key.
  static bool saw_keys(float top) { return top != kMinusInfinity; }
  static std::int64_t row_of_result(const hxc_step&, std::int64_t row) { return row; }
};

// `lse` holds parts values; `x` and `sum` R each.
template <class Decisions>
void merge(const hxc_step& step, std::int64_t row, std::int64_t head, float* lse, float* x,
           float* sum) {
  constexpr float kMinusInfinity = MergeDecisions::kMinusInfinity;
  const std::int64_t parts = step.exchanged.shape[0], latent = step.model->kv_lora_rank;
  float top = kMinusInfinity;
  for (std::int64_t p = 0; p < parts; ++p) {
    lse[p] = Decisions::natural_lse(step, p, row, head);
    if (lse[p] > top || std::isnan(lse[p])) top = lse[p];  // NaN stays NaN
  }
  const float reference = Decisions::reference(top);
  std::fill_n(sum, latent, 0.0f);
  float total = 0;
  for (std::int64_t p = 0; p < parts; ++p) {
    if (!Decisions::counts(lse[p], top)) continue;
    const float weight = Decisions::weight(lse[p], reference);
    total += weight;
    decode_to(dtype_of(step.exchanged), at(step.exchanged, p, row, head),
              {x, static_cast<std::size_t>(latent)});
    for (std::int64_t j = 0; j < latent; ++j) sum[j] = Decisions::add(sum[j], weight * x[j]);
  }
  const bool saw_keys = Decisions::saw_keys(top);
  for (std::int64_t j = 0; saw_keys && j < latent; ++j) sum[j] /= total;
  const std::int64_t to = Decisions::row_of_result(step, row);
  encode_from(dtype_of(step.combined), {sum, static_cast<std::size_t>(latent)},
              at(step.combined, to, head));
  float_at(step.combined_lse, to, head) = saw_keys ? reference + std::log(total) : kMinusInfinity;
}

template <class Decisions>
int combine_with(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error*) {
  Instance& self = *static_cast<Instance*>(instance);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_step& step = *ranks[i];
    Scratch& scratch = self.scratch;
    float* x = scratch.narrow.data();
    float* sum = x + step.model->kv_lora_rank;
    for (std::int64_t b = 0; b < step.rows; ++b) {
      for (std::int64_t h = 0; h < step.place->owned_heads; ++h) {
        merge<Decisions>(step, b, h, scratch.merge_lse.data(), x, sum);
      }
    }
  }
  return 0;
}

}  // namespace helixcheck::cpu
