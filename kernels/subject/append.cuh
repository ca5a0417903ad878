// Stage `append`: a token's owner stores its latent row in the paged cache, in the cache's format.

#pragma once

#include <algorithm>

#include "kernels/check.hpp"
#include "kernels/subject/instance.hpp"
#include "kernels/views.cuh"

namespace helixcheck::cuda::appending {

constexpr int kThreads = 128;

// What the stage decides; a variant derives from it and replaces some.
struct AppendDecisions {
  static __device__ bool stored(const hxc_step&, std::int64_t slot) { return slot >= 0; }
};

// Grid (rows, ranks).
template <typename Decisions, typename Code, typename CacheCode>
__global__ void append_kernel(const hxc_step* steps) {
  const hxc_step& step = steps[blockIdx.y];
  const std::int64_t row = blockIdx.x;
  if (row >= step.rows) return;
  const std::int64_t slot = int_at(step.slot, row);
  if (!Decisions::stored(step, slot)) return;
  const hxc_model& model = *step.model;
  const std::int64_t page = step.place->tokens_per_block;
  const std::int64_t width = model.kv_lora_rank + model.qk_rope_head_dim;
  const auto scale = static_cast<float>(model.kv_scale);
  const Code* from = static_cast<const Code*>(step.latent.data) + offset(step.latent, row);
  CacheCode* to =
      static_cast<CacheCode*>(step.cache.data) + offset(step.cache, slot / page, slot % page);
  for (std::int64_t j = threadIdx.x; j < width; j += kThreads) {
    to[j] = narrow<CacheCode>(scale == 1.0f ? widen(from[j]) : widen(from[j]) / scale);
  }
}

template <typename Decisions>
int append_with(void* instance, hxc_step* const* ranks, hxc_comm*, hxc_error* error) {
  return guarded(error, [&] {
    const Call call(instance, ranks);
    std::int64_t rows = 0;
    for (std::size_t i = 0; i < call.self.ranks; ++i) rows = std::max(rows, ranks[i]->rows);
    if (rows == 0) return;
    const dim3 grid(static_cast<unsigned>(rows), call.ranks_z);
    with_code(call.any.model->dtype, [&](auto code) {
      with_code(call.any.model->kv_dtype, [&](auto cache_code) {
        append_kernel<Decisions, decltype(code), decltype(cache_code)>
            <<<grid, kThreads, 0, call.stream>>>(call.steps);
      });
    });
    HXC_CHECK_LAUNCH("append_kernel");
  });
}

}  // namespace helixcheck::cuda::appending
