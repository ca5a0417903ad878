// Merges the splits of a row: o = sum w_s o_s / sum w_s l_s, w_s = 2^(m_s - m), all in fp32.
//
// A thread block takes 128 columns of one row and head. Its four groups of threads take every
// fourth split; their sums are added in the order of the groups, so the result does not depend on
// timing.

#pragma once

#include "kernels/attend/rows.cuh"
#include "kernels/check.hpp"

namespace helixcheck::cuda::merge {

constexpr int kGroups = 4;
constexpr int kLanes = 128;  // threads of a group, one column each
constexpr int kThreads = kGroups * kLanes;

__host__ __device__ inline unsigned column_chunks(const AttendArgs& args) {
  return static_cast<unsigned>(args.latent + kLanes - 1) / kLanes;
}

struct Weights {
  float maximum, sum;
};

// What the merge decides; a variant derives from it and replaces some.
struct MergeDecisions {
  // How many splits of a row take part, of which `live` hold keys.
  static __device__ int splits(const AttendArgs&, int live) { return live; }
  static __device__ float weight(float maximum, float base) { return exp2f(maximum - base); }
  static __device__ void store_lse(const AttendArgs& args, const hxc_step& step, std::int64_t row,
                                   int head, const Weights& w) {
    write_lse(args, step, row, head, w.maximum, w.sum);
  }
};

// Fills weights [live] from the splits' statistics; every thread gets maximum and sum of the row.
template <typename Decisions>
__device__ Weights merge_statistics(const AttendArgs& args, std::int64_t first, int live,
                                    float* weights, float* sums) {
  for (int s = static_cast<int>(threadIdx.x); s < live; s += kThreads) {
    const float2 split = args.statistics[first + std::int64_t{s} * args.heads];
    weights[s] = split.x;
    sums[s] = split.y;
  }
  __syncthreads();
  float top = -INFINITY;
  for (int s = 0; s < live; ++s) top = fmaxf(top, weights[s]);
  const float base = top == -INFINITY ? 0 : top;
  __syncthreads();
  for (int s = static_cast<int>(threadIdx.x); s < live; s += kThreads) {
    weights[s] = Decisions::weight(weights[s], base);
  }
  __syncthreads();
  float sum = 0;
  for (int s = 0; s < live; ++s) sum = fmaf(weights[s], sums[s], sum);
  return {top, sum};
}

__device__ inline float group_sum(const AttendArgs& args, std::int64_t first, int live, int group,
                                  int c, const float* weights) {
  float sum = 0;
  const std::int64_t stride = std::int64_t{args.heads} * args.latent;
  const float* values = args.values + first * args.latent + c;
#pragma unroll 4
  for (int s = group; s < live; s += kGroups) sum = fmaf(weights[s], values[s * stride], sum);
  return sum;
}

// Dynamic shared memory: weights [splits], sums [splits].
template <typename Decisions>
__global__ void __launch_bounds__(kThreads) attend_merge(const AttendArgs args) {
  extern __shared__ float weights_and_sums[];
  __shared__ float partial[kGroups][kLanes];
  const unsigned chunks = column_chunks(args);
  const int begin = static_cast<int>(blockIdx.x % chunks) * kLanes;
  const int head = static_cast<int>(blockIdx.x / chunks % args.heads);
  const std::int64_t row = blockIdx.x / chunks / args.heads;
  const int rank = static_cast<int>(blockIdx.y);
  const hxc_step& step = args.steps[rank];
  std::int64_t request;
  const int with_keys = live_splits(args, visible_keys(step, row, request));
  if (with_keys <= 1) return;  // written by its only split
  const int live = Decisions::splits(args, with_keys);
  const std::int64_t first = split_index(args, rank, row, 0, head);
  float* weights = weights_and_sums;
  const Weights w = merge_statistics<Decisions>(args, first, live, weights, weights + args.splits);
  const int group = static_cast<int>(threadIdx.x) / kLanes;
  const int lane = static_cast<int>(threadIdx.x) % kLanes;
  const int c = begin + lane;
  partial[group][lane] = c < args.latent ? group_sum(args, first, live, group, c, weights) : 0;
  __syncthreads();
  if (group == 0 && c < args.latent) {
    float sum = partial[0][lane];
    for (int g = 1; g < kGroups; ++g) sum += partial[g][lane];
    write_code(step.partial_o, args.dtype, offset(step.partial_o, row, head, c), sum / w.sum);
  }
  if (c == 0 && group == 0) Decisions::store_lse(args, step, row, head, w);
}

template <typename Decisions>
void launch(const AttendArgs& args, std::int64_t rows, int ranks, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>(rows * args.heads) * column_chunks(args),
                  static_cast<unsigned>(ranks));
  const std::size_t shared_bytes = 2 * sizeof(float) * static_cast<std::size_t>(args.splits);
  attend_merge<Decisions><<<grid, kThreads, shared_bytes, stream>>>(args);
  HXC_CHECK_LAUNCH("attend_merge");
}

}  // namespace helixcheck::cuda::merge
