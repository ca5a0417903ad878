// Stage `attend` on a GPU: absorbed attention over paged keys, for all ranks of a process at once.
//
// Everything that may differ from step to step (lengths, pages, visible counts) is read from device
// memory; grid and splits depend on the sizes alone, so that the launch can be replayed from a
// graph and a row's bits depend on that row alone.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cuda_runtime.h>

#include "subject/helixcheck_subject.h"

namespace helixcheck::cuda {

// The same for all ranks of the process, and for the life of an instance.
struct AttendSizes {
  int ranks = 1;
  std::int64_t max_rows = 0;       // of a step, padding included
  std::int64_t max_requests = 0;   // of a step
  std::int64_t max_local_len = 0;  // of a request on a rank
  std::int64_t heads = 0, latent = 0, rope = 0;
  int dtype = HXC_BF16, kv_dtype = HXC_BF16;  // hxc_dtype
  double kv_scale = 1, softmax_scale = 1;
  std::int64_t tokens_per_block = 0;
  int lse_form = HXC_LSE_LN;
};

// How a step's attention is launched.
struct AttendLaunch {
  AttendSizes sizes;
  bool tensor_cores = false;
  int head_block = 1;               // heads of a thread block
  int stages = 0;                   // tiles of keys in flight, with tensor cores
  std::size_t shared_bytes = 0;     // of a thread block
  int splits = 1;                   // parts that a row's keys are cut into, merged in fp32
  std::int64_t keys_per_split = 0;  // of each part but the last
  std::size_t workspace_bytes = 0;  // for all ranks together
};

// For the current device.
AttendLaunch plan_attend(const AttendSizes& sizes);

constexpr std::int64_t kMostSplits = 256;

// Cuts rows into `splits` parts, 1 .. kMostSplits, or as many as whole units of 64 keys allow.
// The launch needs a workspace of its new size.
void cut_keys(AttendLaunch& launch, std::int64_t splits);

// Enqueues `rows` rows. steps: device copy of the ranks' steps [ranks] whose pointers (place,
// model, requests too) are of the device; reads q, cache, block_table, visible, row_request,
// local_len; writes partial_o and lse of every row, also of padding rows and empty ones.
void enqueue_attend(const AttendLaunch& launch, const hxc_step* steps, std::int64_t rows,
                    void* workspace, cudaStream_t stream);

}  // namespace helixcheck::cuda
