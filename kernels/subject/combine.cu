// Stage `combine`: softmax-weighted merge of the partial results of all KVP ranks.
//
// A partial without keys has LSE -inf and no weight, whatever its values hold: it is left out, not
// multiplied by zero, since 0 * NaN is NaN.

#include "kernels/check.hpp"
#include "kernels/subject/instance.hpp"
#include "kernels/subject/merge.cuh"

namespace helixcheck::cuda {
namespace {

constexpr int kThreads = 128;

__device__ float lse_of(const hxc_step& step, std::int64_t part, std::int64_t row,
                        std::int64_t head) {
  const bool pair = step.place->lse_form == HXC_LSE_MAX_SUM;
  return natural_lse(step.place->lse_form, float_at(step.exchanged_lse, part, row, head),
                     pair ? float_at(step.exchanged_lse, part, row, head, 1) : 0.0f);
}

// Grid (rows * owned heads, ranks). Dynamic shared memory: one weight for each partial.
template <typename Code>
__global__ void combine_kernel(const hxc_step* steps) {
  extern __shared__ float weights[];
  const hxc_step& step = steps[blockIdx.y];
  const std::int64_t parts = step.exchanged.shape[0], owned = step.place->owned_heads;
  const std::int64_t row = blockIdx.x / owned, head = blockIdx.x % owned;
  for (std::int64_t p = threadIdx.x; p < parts; p += kThreads) {
    weights[p] = lse_of(step, p, row, head);
  }
  __syncthreads();
  float top = -INFINITY;
  for (std::int64_t p = 0; p < parts; ++p) top = top_of(top, weights[p]);
  __syncthreads();
  // Left out: a weight of -1, which no exponential gives.
  for (std::int64_t p = threadIdx.x; p < parts; p += kThreads) {
    weights[p] = weights[p] == -INFINITY ? -1.0f : expf(weights[p] - top);
  }
  __syncthreads();
  float total = 0;
  for (std::int64_t p = 0; p < parts; ++p) {
    if (weights[p] != -1.0f) total += weights[p];
  }
  const bool empty = top == -INFINITY;
  const std::int64_t latent = step.model->kv_lora_rank;
  Code* to = static_cast<Code*>(step.combined.data) + offset(step.combined, row, head);
  const Code* from = static_cast<const Code*>(step.exchanged.data);
  for (std::int64_t j = threadIdx.x; j < latent; j += kThreads) {
    float sum = 0;
    for (std::int64_t p = 0; p < parts; ++p) {
      if (weights[p] == -1.0f) continue;
      // Not contracted: two summands must commute to the bit.
      const float x = widen(from[offset(step.exchanged, p, row, head) + j]);
      sum = __fadd_rn(sum, __fmul_rn(weights[p], x));
    }
    to[j] = narrow<Code>(empty ? 0.0f : sum / total);
  }
  if (threadIdx.x == 0) {
    float_at(step.combined_lse, row, head) = empty ? -INFINITY : top + logf(total);
  }
}

// Weights are read four at a time.
std::size_t shared_bytes(std::size_t parts) {
  return (parts + 3) / 4 * 4 * sizeof(float);
}

}  // namespace

int combine(void* instance, hxc_step* const* ranks, hxc_comm*, hxc_error* error) {
  return guarded(error, [&] {
    const Call call(instance, ranks);
    const dim3 grid(static_cast<unsigned>(call.any.rows * call.any.place->owned_heads),
                    call.ranks_z);
    if (grid.x == 0) return;
    const auto parts = static_cast<std::size_t>(call.any.exchanged.shape[0]);
    with_code(call.any.model->dtype, [&](auto code) {
      combine_kernel<decltype(code)>
          <<<grid, kThreads, shared_bytes(parts), call.stream>>>(call.steps);
    });
    HXC_CHECK_LAUNCH("combine_kernel");
  });
}

}  // namespace helixcheck::cuda
