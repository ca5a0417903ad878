// cuBLAS counts columns first: a row-major matrix is the transpose of its column-major one, so the
// factors change places. The default math mode computes in fp64 itself, never in emulation.

#include "kernels/reference/blas.hpp"

#include "kernels/check.hpp"
#include "kernels/memory/recording_gate.hpp"

namespace helixcheck::cuda {

Blas::Blas(cudaStream_t stream) {
  const DeviceWideCall alone;
  HXC_CHECK(cublasCreate(&handle_));
  HXC_CHECK(cublasSetStream(handle_, stream));
  HXC_CHECK(cublasSetMathMode(handle_, CUBLAS_DEFAULT_MATH));
}

Blas::~Blas() {
  const DeviceWideCall alone;
  if (handle_ != nullptr) cublasDestroy(handle_);
}

void Blas::multiply(std::int64_t m, std::int64_t n, std::int64_t k, Matrix a, Matrix b, double* c,
                    std::int64_t c_stride, bool add) {
  if (m == 0 || n == 0) return;
  const double one = 1, kept = add ? 1 : 0;
  HXC_CHECK(cublasDgemm_64(handle_, CUBLAS_OP_N, CUBLAS_OP_N, n, m, k, &one, b.data, b.stride,
                           a.data, a.stride, &kept, c, c_stride));
}

void Blas::multiply_transposed(std::int64_t m, std::int64_t n, std::int64_t k, Matrix a, Matrix b,
                               double* c, std::int64_t c_stride) {
  if (m == 0 || n == 0) return;
  const double one = 1, zero = 0;
  HXC_CHECK(cublasDgemm_64(handle_, CUBLAS_OP_T, CUBLAS_OP_N, n, m, k, &one, b.data, b.stride,
                           a.data, a.stride, &zero, c, c_stride));
}

}  // namespace helixcheck::cuda
