// Stage `combine`: softmax-weighted merge of the partial results of all KVP ranks.
//
// A partial without keys has LSE -inf and no weight, whatever its values hold: it is left out, not
// multiplied by zero, since 0 * NaN is NaN.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "subject/cpu/instance.hpp"
#include "subject/views.hpp"

namespace helixcheck::cpu {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

float natural_lse(const hxc_step& step, std::int64_t part, std::int64_t row, std::int64_t head) {
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

// `lse` holds parts values; `x` and `sum` R each.
void merge(const hxc_step& step, std::int64_t row, std::int64_t head, float* lse, float* x,
           float* sum) {
  const std::int64_t parts = step.exchanged.shape[0], latent = step.model->kv_lora_rank;
  float top = kMinusInfinity;
  for (std::int64_t p = 0; p < parts; ++p) {
    lse[p] = natural_lse(step, p, row, head);
    if (lse[p] > top || std::isnan(lse[p])) top = lse[p];  // NaN stays NaN
  }
  std::fill_n(sum, latent, 0.0f);
  float total = 0;
  for (std::int64_t p = 0; p < parts; ++p) {
    if (lse[p] == kMinusInfinity) continue;
    const float weight = std::exp(lse[p] - top);
    total += weight;
    decode_to(dtype_of(step.exchanged), at(step.exchanged, p, row, head),
              {x, static_cast<std::size_t>(latent)});
    for (std::int64_t j = 0; j < latent; ++j) sum[j] += weight * x[j];
  }
  if (top != kMinusInfinity) {
    for (std::int64_t j = 0; j < latent; ++j) sum[j] /= total;
  }
  encode_from(dtype_of(step.combined), {sum, static_cast<std::size_t>(latent)},
              at(step.combined, row, head));
  float_at(step.combined_lse, row, head) =
      top == kMinusInfinity ? kMinusInfinity : top + std::log(total);
}

}  // namespace

int combine(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error*) {
  Instance& self = *static_cast<Instance*>(instance);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_step& step = *ranks[i];
    Scratch& scratch = self.scratch;
    float* x = scratch.narrow.data();
    float* sum = x + step.model->kv_lora_rank;
    for (std::int64_t b = 0; b < step.rows; ++b) {
      for (std::int64_t h = 0; h < step.place->owned_heads; ++h) {
        merge(step, b, h, scratch.merge_lse.data(), x, sum);
      }
    }
  }
  return 0;
}

}  // namespace helixcheck::cpu
