// Which keys of which row a thread block of stage `attend` works on, and how a row's result leaves.

#pragma once

#include "kernels/attend/args.hpp"
#include "kernels/views.cuh"

namespace helixcheck::cuda {

__device__ inline int page_of(const PageDivider& page, int key) {
  return static_cast<int>((__umulhi(page.factor, key) + key) >> page.shift);
}

__device__ inline int token_of(const PageDivider& page, int key) {
  return key - page_of(page, key) * static_cast<int>(page.tokens);
}

struct RowPart {
  int rank, split, live_splits, head_block;
  std::int64_t row, request;
  int begin, end, visible;  // keys [begin, end) of the row's visible ones
};

// Splits of a row that hold keys.
__device__ inline int live_splits(const AttendArgs& args, int visible) {
  return min(args.splits, (visible + args.keys_per_split - 1) / args.keys_per_split);
}

// The two loads do not wait for one another: a short row's time is a chain of loads.
__device__ inline int visible_keys(const hxc_step& step, std::int64_t row, std::int64_t& request) {
  request = int_at(step.row_request, row);
  const std::int64_t visible = int_at(step.visible, row);
  return request < 0 || visible < 0 ? 0 : static_cast<int>(visible);
}

__device__ inline RowPart row_part(const AttendArgs& args) {
  RowPart part;
  unsigned index = blockIdx.x;
  part.head_block = static_cast<int>(index % args.head_blocks);
  index /= args.head_blocks;
  part.split = static_cast<int>(index % args.splits);
  part.row = index / args.splits;
  part.rank = static_cast<int>(blockIdx.y);
  const hxc_step& step = args.steps[part.rank];
  part.visible = visible_keys(step, part.row, part.request);
  part.live_splits = live_splits(args, part.visible);
  part.begin = min(part.split * args.keys_per_split, part.visible);
  const bool last = part.split + 1 == args.splits;
  part.end = last ? part.visible : min(part.begin + args.keys_per_split, part.visible);
  return part;
}

// Place of a head's split result in the workspace.
__device__ inline std::int64_t split_index(const AttendArgs& args, int rank, std::int64_t row,
                                           int split, int head) {
  return ((rank * args.max_rows + row) * args.splits + split) * args.heads + head;
}

// maximum: of the scaled scores, as a power of two; sum: relative to it.
__device__ inline void write_lse(const AttendArgs& args, const hxc_step& step, std::int64_t row,
                                 int head, float maximum, float sum) {
  float* lse = &float_at(step.lse, row, head);
  const double natural = maximum * args.natural;
  switch (args.lse_form) {
    case HXC_LSE_LN: *lse = static_cast<float>(natural + logf(sum)); break;
    case HXC_LSE_LOG2: *lse = static_cast<float>(natural * 1.4426950408889634 + log2f(sum)); break;
    default: lse[0] = static_cast<float>(natural); lse[step.lse.stride[2]] = sum;
  }
}

template <typename Code>
__device__ inline Code* code_at(const hxc_tensor& t, std::int64_t i, std::int64_t j) {
  return static_cast<Code*>(t.data) + offset(t, i, j);
}

// Reads and writes of model.dtype where speed does not depend on them.
__device__ inline float read_code(const hxc_tensor& t, int dtype, std::int64_t index) {
  switch (dtype) {
    case HXC_FP32: return static_cast<const float*>(t.data)[index];
    case HXC_FP16: return widen(static_cast<const __half*>(t.data)[index]);
    default: return widen(static_cast<const __nv_bfloat16*>(t.data)[index]);
  }
}

__device__ inline void write_code(const hxc_tensor& t, int dtype, std::int64_t index, float x) {
  switch (dtype) {
    case HXC_FP32: static_cast<float*>(t.data)[index] = x; break;
    case HXC_FP16: static_cast<__half*>(t.data)[index] = narrow<__half>(x); break;
    default: static_cast<__nv_bfloat16*>(t.data)[index] = narrow<__nv_bfloat16>(x);
  }
}

// A row that sees nothing: +0, and an lse of -inf. Heads [first, first + count).
__device__ inline void write_empty(const AttendArgs& args, const hxc_step& step, std::int64_t row,
                                   int first, int count) {
  count = min(count, args.heads - first);
  for (int i = static_cast<int>(threadIdx.x); i < count * args.latent; i += blockDim.x) {
    const int head = first + i / args.latent;
    write_code(step.partial_o, args.dtype, offset(step.partial_o, row, head, i % args.latent), 0);
  }
  for (int i = static_cast<int>(threadIdx.x); i < count; i += blockDim.x) {
    float* lse = &float_at(step.lse, row, first + i);
    *lse = -INFINITY;
    if (args.lse_form == HXC_LSE_MAX_SUM) lse[step.lse.stride[2]] = 0;
  }
}

}  // namespace helixcheck::cuda
