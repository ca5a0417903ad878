// Absorbed attention without tensor cores: any widths, formats, strides and page sizes.
//
// A thread block takes one row, up to kHeads heads and one split of the keys, in tiles of 32 keys.
// Contract: u_acc 2^-24 (fp32 FMA); block 1, a dot product runs in 32 lanes whose chains are
// (R + P) / 32 long, then a tree; tile 32; P in fp32, row sum from the same P; eps_exp 2^-22;
// running maximum per tile, splits merged in fp32. Keys beyond the visible ones are never read.

#pragma once

#include "kernels/attend/rows.cuh"
#include "kernels/check.hpp"

namespace helixcheck::cuda::simt {

constexpr int kThreads = 128;
constexpr int kWarps = kThreads / 32;
constexpr unsigned kAll = 0xffffffffu;

// What the kernel decides; a variant derives from it and replaces some.
struct SimtDecisions {
  // Where a key's row begins in the cache, in elements.
  static __device__ std::int64_t key_place(const hxc_tensor& cache, std::int64_t page, int token) {
    return offset(cache, page, token);
  }
  template <typename Code>
  static __device__ float element(const Code* cache, std::int64_t place) {
    return widen(cache[place]);
  }
};

// Of a thread block, in shared memory.
struct Scratch {
  std::int64_t* keys;  // [kTile] where each key's row begins in the cache, in elements
  float* queries;      // [kHeads, R + P]
  float* values;       // [kHeads, R] sums of values
  float* weights;      // [kHeads, kTile] scores, then probabilities
  float* maxima;       // [kHeads]
  float* sums;         // [kHeads]
  float* factors;      // [kHeads] what the last tile's maximum shrinks earlier sums by
};

inline std::size_t scratch_floats(std::int64_t latent, std::int64_t width, int heads) {
  return static_cast<std::size_t>(heads * (width + latent + kTile + 3));
}

template <int kHeads>
__device__ Scratch scratch_at(unsigned char* shared, int latent, int width) {
  Scratch s;
  s.keys = reinterpret_cast<std::int64_t*>(shared);
  s.queries = reinterpret_cast<float*>(s.keys + kTile);
  s.values = s.queries + kHeads * width;
  s.weights = s.values + kHeads * latent;
  s.maxima = s.weights + kHeads * kTile;
  s.sums = s.maxima + kHeads;
  s.factors = s.sums + kHeads;
  return s;
}

template <int kHeads>
__device__ void begin_row(const AttendArgs& args, const hxc_step& step, const RowPart& part,
                          const Scratch& s) {
  const int width = args.latent + args.rope;
  const int first = part.head_block * kHeads;
  for (int i = static_cast<int>(threadIdx.x); i < kHeads * width; i += kThreads) {
    const int head = first + i / width;
    const bool held = head < args.heads;
    s.queries[i] =
        held ? read_code(step.q, args.dtype, offset(step.q, part.row, head, i % width)) : 0;
  }
  for (int i = static_cast<int>(threadIdx.x); i < kHeads * args.latent; i += kThreads) {
    s.values[i] = 0;
  }
  if (threadIdx.x < kHeads) {
    s.maxima[threadIdx.x] = -INFINITY;
    s.sums[threadIdx.x] = 0;
  }
}

template <typename Decisions>
__device__ void find_keys(const AttendArgs& args, const hxc_step& step, const RowPart& part,
                          int begin, int count, const Scratch& s) {
  const int i = static_cast<int>(threadIdx.x);
  if (i >= count) return;
  const int key = begin + i;
  const std::int64_t page = int_at(step.block_table, part.request, page_of(args.page, key));
  s.keys[i] = Decisions::key_place(step.cache, page, token_of(args.page, key));
}

// Scaled scores of a tile: a warp takes every fourth key, its lanes stride over the width.
template <typename Decisions, typename Code, int kHeads>
__device__ void score_tile(const AttendArgs& args, const hxc_tensor& cache, int count,
                           const Scratch& s) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int width = args.latent + args.rope;
  const std::int64_t stride = cache.stride[2];
  for (int key = static_cast<int>(threadIdx.x / 32); key < count; key += kWarps) {
    const Code* data = static_cast<const Code*>(cache.data);
    const std::int64_t row = s.keys[key];
    float dot[kHeads] = {};
#pragma unroll 4
    for (int c = lane; c < width; c += 32) {
      const float k = Decisions::element(data, row + c * stride) * args.kv_scale;
#pragma unroll
      for (int h = 0; h < kHeads; ++h) dot[h] = fmaf(s.queries[h * width + c], k, dot[h]);
    }
#pragma unroll
    for (int h = 0; h < kHeads; ++h) {
      for (int step = 16; step > 0; step /= 2) dot[h] += __shfl_xor_sync(kAll, dot[h], step);
      if (lane == 0) s.weights[h * kTile + key] = dot[h] * args.score_scale;
    }
  }
}

// Scores become probabilities relative to the new running maximum: a warp takes a head, lane = key.
template <int kHeads>
__device__ void update_heads(int count, const Scratch& s) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  for (int h = static_cast<int>(threadIdx.x / 32); h < kHeads; h += kWarps) {
    const float score = lane < count ? s.weights[h * kTile + lane] : -INFINITY;
    float top = score;
    for (int step = 16; step > 0; step /= 2) {
      top = fmaxf(top, __shfl_xor_sync(kAll, top, step));
    }
    top = fmaxf(top, s.maxima[h]);
    const float base = top == -INFINITY ? 0 : top;
    const float p = lane < count ? exp2f(score - base) : 0;
    float sum = p;
    for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(kAll, sum, step);
    const float factor = exp2f(s.maxima[h] - base);
    s.weights[h * kTile + lane] = p;
    __syncwarp();
    if (lane == 0) {
      s.maxima[h] = top;
      s.factors[h] = factor;
      s.sums[h] = s.sums[h] * factor + sum;
    }
  }
}

template <typename Decisions, typename Code, int kHeads>
__device__ void add_values(const AttendArgs& args, const hxc_tensor& cache, int count,
                           const Scratch& s) {
  const Code* data = static_cast<const Code*>(cache.data);
  for (int c = static_cast<int>(threadIdx.x); c < args.latent; c += kThreads) {
    float sum[kHeads] = {};
#pragma unroll 4
    for (int key = 0; key < count; ++key) {
      const float v = Decisions::element(data, s.keys[key] + c * cache.stride[2]) * args.kv_scale;
#pragma unroll
      for (int h = 0; h < kHeads; ++h) sum[h] = fmaf(s.weights[h * kTile + key], v, sum[h]);
    }
#pragma unroll
    for (int h = 0; h < kHeads; ++h) {
      float& value = s.values[h * args.latent + c];
      value = value * s.factors[h] + sum[h];
    }
  }
}

template <int kHeads>
__device__ void end_row(const AttendArgs& args, const hxc_step& step, const RowPart& part,
                        const Scratch& s) {
  const int first = part.head_block * kHeads;
  const int held = min(kHeads, args.heads - first);
  const bool whole = part.live_splits == 1;
  for (int i = static_cast<int>(threadIdx.x); i < held * args.latent; i += kThreads) {
    const int h = i / args.latent, c = i % args.latent;
    if (whole) {
      const std::int64_t place = offset(step.partial_o, part.row, first + h, c);
      write_code(step.partial_o, args.dtype, place, s.values[i] / s.sums[h]);
    } else {
      const std::int64_t place = split_index(args, part.rank, part.row, part.split, first + h);
      args.values[place * args.latent + c] = s.values[i];
    }
  }
  if (static_cast<int>(threadIdx.x) >= held) return;
  const int h = static_cast<int>(threadIdx.x);
  if (whole) {
    write_lse(args, step, part.row, first + h, s.maxima[h], s.sums[h]);
  } else {
    args.statistics[split_index(args, part.rank, part.row, part.split, first + h)] =
        make_float2(s.maxima[h], s.sums[h]);
  }
}

template <typename Decisions, typename Code, int kHeads>
__global__ void __launch_bounds__(kThreads) attend_simt(const AttendArgs args) {
  extern __shared__ __align__(16) unsigned char shared[];
  const RowPart part = row_part(args);
  const hxc_step& step = args.steps[part.rank];
  if (part.begin == part.end) {
    if (part.visible == 0 && part.split == 0) {
      write_empty(args, step, part.row, part.head_block * kHeads, kHeads);
    }
    return;
  }
  const Scratch s = scratch_at<kHeads>(shared, args.latent, args.latent + args.rope);
  const hxc_tensor cache = step.cache;
  begin_row<kHeads>(args, step, part, s);
  for (int begin = part.begin; begin < part.end; begin += kTile) {
    const int count = min(kTile, part.end - begin);
    find_keys<Decisions>(args, step, part, begin, count, s);
    __syncthreads();
    score_tile<Decisions, Code, kHeads>(args, cache, count, s);
    __syncthreads();
    update_heads<kHeads>(count, s);
    __syncthreads();
    add_values<Decisions, Code, kHeads>(args, cache, count, s);
    __syncthreads();
  }
  end_row<kHeads>(args, step, part, s);
}

using Kernel = void (*)(const AttendArgs);

template <typename Decisions, int kHeads>
Kernel kernel_of(int kv_dtype) {
  switch (kv_dtype) {
    case HXC_FP32: return attend_simt<Decisions, float, kHeads>;
    case HXC_FP16: return attend_simt<Decisions, __half, kHeads>;
    case HXC_BF16: return attend_simt<Decisions, __nv_bfloat16, kHeads>;
    default: return attend_simt<Decisions, __nv_fp8_e4m3, kHeads>;
  }
}

template <typename Decisions>
Kernel kernel_of(const AttendLaunch& launch) {
  const int kv_dtype = launch.sizes.kv_dtype;
  return launch.head_block == 1 ? kernel_of<Decisions, 1>(kv_dtype)
                                : kernel_of<Decisions, 8>(kv_dtype);
}

template <typename Decisions>
void prepare(const AttendLaunch& launch) {
  allow_shared_memory(reinterpret_cast<const void*>(kernel_of<Decisions>(launch)));
}

template <typename Decisions>
void launch(const AttendLaunch& plan, const AttendArgs& args, Grid grid, cudaStream_t stream) {
  const dim3 blocks(grid.blocks, grid.ranks);
  kernel_of<Decisions>(plan)<<<blocks, kThreads, plan.shared_bytes, stream>>>(args);
  HXC_CHECK_LAUNCH("attend_simt");
}

}  // namespace helixcheck::cuda::simt
