// Stored rows against their recomputation, on the device: each block judges a run of rows by the
// lines of mla/acceptance.hpp and leaves its evidence.

#pragma once

#include <cstdint>
#include <cuda_runtime.h>

#include "mla/accelerator.hpp"
#include "mla/prompt_rows.hpp"

namespace helixcheck::cuda {

// Consecutive prompt rows; every pointer is of the device.
struct PromptBatch {
  std::int64_t rows = 0, first_row = 0;     // n; number of the first one in the evidence
  std::int64_t latent = 0, rope = 0;        // R, P
  const double* want = nullptr;             // [n, R + P]: the product
  const double* x_norms = nullptr;          // [n]
  const double* w_norms = nullptr;          // [R + P]
  const double* norm_weight = nullptr;      // [R]
  const double* inv_freq = nullptr;         // [P / 2]
  const std::int64_t* positions = nullptr;  // [n]
  const void* kv_c = nullptr;               // codes [n, R + P]
  const void* stored_latent = nullptr;      // codes [n, R + P]
  double eps = 0, cos_scale = 1;
  bool interleave = true;
  PromptBounds bounds;
};

// Blocks, and so entries of evidence, for this many rows.
int compare_blocks(std::int64_t rows);

// seen [compare_blocks(rows)].
void compare_kv_c(Dtype dtype, const PromptBatch& batch, Evidence* seen, cudaStream_t stream);
void compare_latent(Dtype dtype, const PromptBatch& batch, Evidence* seen, cudaStream_t stream);
// rows.latent and rows.stored are of the device here.
void compare_stored(const Accelerator::StoredRows& rows, std::int64_t first_row, Evidence* seen,
                    cudaStream_t stream);

}  // namespace helixcheck::cuda
