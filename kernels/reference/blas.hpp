// Products of row-major fp64 matrices on the device.

#pragma once

#include <cstdint>
#include <cublas_v2.h>
#include <cuda_runtime.h>

namespace helixcheck::cuda {

// Consecutive rows are `stride` elements apart.
struct Matrix {
  const double* data = nullptr;
  std::int64_t stride = 0;
};

class Blas {
 public:
  // On the current device; its work is enqueued in `stream`.
  explicit Blas(cudaStream_t stream);
  ~Blas();
  Blas(const Blas&) = delete;
  Blas& operator=(const Blas&) = delete;

  // c [m, n] = a [m, k] * b [k, n], added to what c holds if `add`; else c is not read.
  void multiply(std::int64_t m, std::int64_t n, std::int64_t k, Matrix a, Matrix b, double* c,
                std::int64_t c_stride, bool add);
  // The same with b^T for b [n, k]; c is not read.
  void multiply_transposed(std::int64_t m, std::int64_t n, std::int64_t k, Matrix a, Matrix b,
                           double* c, std::int64_t c_stride);

 private:
  cublasHandle_t handle_ = nullptr;
};

}  // namespace helixcheck::cuda
