// Row-wise linear layers through cuBLAS: 16-bit or fp32 codes, fp32 sums, one rounding at the
// store.

#pragma once

#include <cstdint>
#include <cublas_v2.h>
#include <cuda_runtime.h>
#include <vector>

namespace helixcheck::cuda {

// y [rows, out] = x [rows, in] * w^T, w [out, in]; `turned`: w [in, out] and y = x w. Pitches are
// elements from row to row.
struct RowProduct {
  const void* x = nullptr;
  const void* w = nullptr;
  void* y = nullptr;
};

struct ProductShape {
  std::int64_t rows = 0, in = 0, out = 0;
  std::int64_t x_pitch = 0, w_pitch = 0, y_pitch = 0;
  bool turned = false;
  int dtype = 0;  // hxc_dtype: fp32, fp16 or bf16
};

// Products of one shape, in as few calls as their addresses allow.
void multiply_rows(const ProductShape& shape, const std::vector<RowProduct>& products,
                   cudaStream_t stream, cublasComputeType_t compute = CUBLAS_COMPUTE_32F);

// Makes this thread's cuBLAS handle ready: the one call that allocates.
void prepare_blas();

}  // namespace helixcheck::cuda
