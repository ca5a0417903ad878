// What the kernels of stage `attend` share with their planner. Keys are numbered by their place in
// the request's local list; 32 bits hold a count of keys, never an offset in memory.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cuda_runtime.h>

#include "kernels/attend/attend.hpp"

namespace helixcheck::cuda {

// Division of a key by the tokens of a page, exact for keys below 2^31: a multiplication and a
// shift.
struct PageDivider {
  unsigned tokens, factor, shift;
};

struct AttendArgs {
  const hxc_step* steps;  // [ranks]
  std::int64_t max_rows;
  int heads, latent, rope, head_blocks, stages;
  int splits, keys_per_split;
  PageDivider page;
  int dtype, lse_form;
  float kv_scale;
  float score_scale;   // softmax_scale * log2(e): scores are powers of two
  double natural;      // from a scaled score to the natural one, undoes score_scale's rounding too
  float2* statistics;  // [ranks, max_rows, splits, heads]: maximum (power of two), sum
  float* values;       // [ranks, max_rows, splits, heads, R]: sums of values, not yet divided
};

struct Grid {
  unsigned blocks;  // rows x splits x head blocks, the last the fastest
  unsigned ranks;
};

constexpr int kTile = 32;  // keys, for both kernels

// Lets a kernel take all the shared memory a thread block may have: plans of other sizes share it.
void allow_shared_memory(const void* kernel);

// Each kernel: what it needs of shared memory, one-time preparation, and launch.
std::size_t simt_shared_bytes(const AttendSizes& sizes, int head_block);
void prepare_simt(const AttendLaunch& launch);
void launch_simt(const AttendLaunch& launch, const AttendArgs& args, Grid grid,
                 cudaStream_t stream);

std::size_t mma_shared_bytes(const AttendSizes& sizes, int head_block, int stages);
void prepare_mma_bf16(const AttendLaunch& launch);
void prepare_mma_fp16(const AttendLaunch& launch);
void launch_mma_bf16(const AttendLaunch& launch, const AttendArgs& args, Grid grid,
                     cudaStream_t stream);
void launch_mma_fp16(const AttendLaunch& launch, const AttendArgs& args, Grid grid,
                     cudaStream_t stream);

void launch_merge(const AttendArgs& args, std::int64_t rows, int ranks, cudaStream_t stream);

// The kernels that have variants.
struct AttendKernels {
  void (*simt)(const AttendLaunch&, const AttendArgs&, Grid, cudaStream_t) = launch_simt;
  void (*merge)(const AttendArgs&, std::int64_t rows, int ranks, cudaStream_t) = launch_merge;
};

// As enqueue_attend does, with other kernels.
void enqueue_attend_with(const AttendKernels& kernels, const AttendLaunch& launch,
                         const hxc_step* steps, std::int64_t rows, void* workspace,
                         cudaStream_t stream);

}  // namespace helixcheck::cuda
