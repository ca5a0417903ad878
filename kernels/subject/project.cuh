// Stage `project`: linear layers through cuBLAS, then one kernel for the norm and the rotations of
// a row. Norm statistics and rotations are fp32; cos and sin come from fp64 angles, rounded once.

#pragma once

#include <vector>

#include "kernels/check.hpp"
#include "kernels/subject/blas.hpp"
#include "kernels/subject/instance.hpp"
#include "kernels/views.cuh"

namespace helixcheck::cuda::projecting {

constexpr int kThreads = 128;

// What the stage decides; a variant derives from it and replaces some.
struct ProjectDecisions {
  static __device__ void sine_and_cosine(double angle, double& sine, double& cosine) {
    sincos(angle, &sine, &cosine);
  }
  static cublasComputeType_t compute(int) { return CUBLAS_COMPUTE_32F; }
};

// Sum over the block's threads, the same in all of them.
__device__ inline float block_sum(float x) {
  __shared__ float sums[kThreads / 32];
  for (int lane = 16; lane > 0; lane /= 2) x += __shfl_xor_sync(0xffffffffu, x, lane);
  __syncthreads();
  if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = x;
  __syncthreads();
  x = 0;
  for (const float sum : sums) x += sum;
  return x;
}

// to = x / sqrt(mean(x^2) + eps) * w over n elements.
template <typename Code>
__device__ void normalise(const Code* x, const Code* w, Code* to, std::int64_t n, double eps) {
  float squares = 0;
  for (std::int64_t i = threadIdx.x; i < n; i += kThreads) {
    const float value = widen(x[i]);
    squares += value * value;
  }
  const float mean = block_sum(squares) / static_cast<float>(n);
  const float inverse = 1.0f / sqrtf(mean + static_cast<float>(eps));
  for (std::int64_t i = threadIdx.x; i < n; i += kThreads) {
    to[i] = narrow<Code>(widen(x[i]) * inverse * widen(w[i]));
  }
}

// Rotates pair j of x [P] by (c, s) into `to`.
template <typename Code>
__device__ void rotate_pair(const hxc_model& model, std::int64_t j, float c, float s, const Code* x,
                            Code* to) {
  const std::int64_t a = model.rope_interleave ? 2 * j : j;
  const std::int64_t b = model.rope_interleave ? 2 * j + 1 : j + model.qk_rope_head_dim / 2;
  const float xa = widen(x[a]), xb = widen(x[b]);
  to[a] = narrow<Code>(xa * c - xb * s);
  to[b] = narrow<Code>(xa * s + xb * c);
}

template <typename Code>
__device__ Code* row_of(const hxc_tensor& t, std::int64_t i, std::int64_t j = 0) {
  return static_cast<Code*>(t.data) + offset(t, i, j);
}

// latent = [RMSNorm(kv_c) | RoPE(k_pe)], and the rotated part of every head's query. Grid (rows,
// ranks).
template <typename Decisions, typename Code>
__global__ void norm_and_rope_kernel(const hxc_step* steps) {
  const hxc_step& step = steps[blockIdx.y];
  const hxc_model& model = *step.model;
  const std::int64_t row = blockIdx.x;
  if (row >= step.rows) return;
  const std::int64_t latent = model.kv_lora_rank, pairs = model.qk_rope_head_dim / 2;
  const Code* from = row_of<Code>(step.kv_c, row);
  Code* to = row_of<Code>(step.latent, row);
  normalise(from, static_cast<const Code*>(step.weights->kv_a_norm.data), to, latent,
            model.rms_norm_eps);
  const double position = static_cast<double>(int_at(step.position, row));
  const std::int64_t nope = model.qk_nope_head_dim;
  const std::int64_t heads = step.is_prompt ? 0 : step.place->heads;
  for (std::int64_t j = threadIdx.x; j < pairs; j += kThreads) {
    double sine = 0, cosine = 0;
    Decisions::sine_and_cosine(position * model.inv_freq[j], sine, cosine);
    const float c = static_cast<float>(cosine * model.cos_scale);
    const float s = static_cast<float>(sine * model.cos_scale);
    rotate_pair(model, j, c, s, from + latent, to + latent);
    for (std::int64_t h = 0; h < heads; ++h) {
      rotate_pair(model, j, c, s, row_of<Code>(step.q_nope, row, h) + nope,
                  row_of<Code>(step.q, row, h) + latent);
    }
  }
}

// q_c = RMSNorm(q_a). Grid (rows, ranks).
template <typename Code>
__global__ void norm_query_kernel(const hxc_step* steps) {
  const hxc_step& step = steps[blockIdx.y];
  const std::int64_t row = blockIdx.x;
  normalise(row_of<Code>(step.q_a, row), static_cast<const Code*>(step.weights->q_a_norm.data),
            row_of<Code>(step.q_c, row), step.model->q_lora_rank, step.model->rms_norm_eps);
}

// Linear layer `w` over the rows `x` of every rank. Ranks may differ in prompt rows.
template <typename Decisions>
void multiply_all(const Call& call, hxc_step* const* ranks, hxc_tensor hxc_step::*x,
                  hxc_tensor hxc_weights::*w, hxc_tensor hxc_step::*y) {
  std::vector<RowProduct> products;
  for (std::size_t begin = 0; begin < call.self.ranks;) {
    const std::int64_t rows = ranks[begin]->rows;
    products.clear();
    std::size_t i = begin;
    for (; i < call.self.ranks && ranks[i]->rows == rows; ++i) {
      products.push_back(
          {(ranks[i]->*x).data, (call.self.weights[i].*w).data, (ranks[i]->*y).data});
    }
    const hxc_tensor &input = ranks[begin]->*x, &weight = call.self.weights[begin].*w;
    const hxc_tensor& result = ranks[begin]->*y;
    multiply_rows({rows, weight.shape[1], weight.shape[0], input.stride[0], weight.stride[0],
                   result.stride[0], false, call.any.model->dtype},
                  products, call.stream, Decisions::compute(call.any.model->dtype));
    begin = i;
  }
}

// q[h] = k_b[h]^T q_nope[h], the nope part of every head absorbed.
template <typename Decisions>
void absorb(const Call& call, hxc_step* const* ranks) {
  std::vector<RowProduct> products;
  for (std::size_t i = 0; i < call.self.ranks; ++i) {
    for (std::int64_t h = 0; h < call.any.place->heads; ++h) {
      products.push_back({head_of(ranks[i]->q_nope, 1, h), head_of(call.self.weights[i].k_b, 0, h),
                          head_of(ranks[i]->q, 1, h)});
    }
  }
  const hxc_model& model = *call.any.model;
  multiply_rows(
      {call.any.rows, model.qk_nope_head_dim, model.kv_lora_rank, call.any.q_nope.stride[0],
       call.self.weights[0].k_b.stride[1], call.any.q.stride[0], true, model.dtype},
      products, call.stream, Decisions::compute(model.dtype));
}

template <typename Decisions>
void project_query(const Call& call, hxc_step* const* ranks) {
  const hxc_model& model = *call.any.model;
  auto input = &hxc_step::hidden;
  if (model.q_lora_rank > 0) {
    multiply_all<Decisions>(call, ranks, &hxc_step::hidden, &hxc_weights::q_a, &hxc_step::q_a);
    const dim3 grid(static_cast<unsigned>(call.any.rows), call.ranks_z);
    with_code(model.dtype, [&](auto code) {
      norm_query_kernel<decltype(code)><<<grid, kThreads, 0, call.stream>>>(call.steps);
    });
    HXC_CHECK_LAUNCH("norm_query_kernel");
    input = &hxc_step::q_c;
  }
  multiply_all<Decisions>(call, ranks, input, &hxc_weights::q_b, &hxc_step::q_nope);
  absorb<Decisions>(call, ranks);
}

template <typename Decisions>
int project_with(void* instance, hxc_step* const* ranks, hxc_comm*, hxc_error* error) {
  return guarded(error, [&] {
    const Call call(instance, ranks);
    std::int64_t rows = 0;
    for (std::size_t i = 0; i < call.self.ranks; ++i) rows = std::max(rows, ranks[i]->rows);
    if (rows == 0) return;
    multiply_all<Decisions>(call, ranks, &hxc_step::hidden, &hxc_weights::kv_a, &hxc_step::kv_c);
    if (!call.any.is_prompt) project_query<Decisions>(call, ranks);
    const dim3 grid(static_cast<unsigned>(rows), call.ranks_z);
    with_code(call.any.model->dtype, [&](auto code) {
      norm_and_rope_kernel<Decisions, decltype(code)>
          <<<grid, kThreads, 0, call.stream>>>(call.steps);
    });
    HXC_CHECK_LAUNCH("norm_and_rope_kernel");
  });
}

}  // namespace helixcheck::cuda::projecting
