// cuBLAS is column-major: y^T [out, rows] = w [out, in] * x^T.

#include "kernels/subject/blas.hpp"

#include <cstddef>

#include "kernels/check.hpp"
#include "kernels/memory/recording_gate.hpp"
#include "kernels/subject/block.hpp"

namespace helixcheck::cuda {
namespace {

constexpr std::size_t kWorkspaceBytes = std::size_t{32} << 20;  // NVIDIA's advice for sm_90

// A thread's handle. The workspace is given, so that no product allocates one in a capture.
class Handle {
 public:
  Handle() : workspace_(kWorkspaceBytes) {
    const DeviceWideCall alone;
    HXC_CHECK(cublasCreate(&handle_));
    // By default partial sums of split products may be added in the 16-bit output format.
    HXC_CHECK(cublasSetMathMode(
        handle_, static_cast<cublasMath_t>(CUBLAS_DEFAULT_MATH |
                                           CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION)));
  }
  ~Handle() {
    const DeviceWideCall alone;
    cublasDestroy(handle_);
  }

  cublasHandle_t on(cudaStream_t stream) {
    if (stream != stream_ || !bound_) {
      HXC_CHECK(cublasSetStream(handle_, stream));  // forgets the workspace
      HXC_CHECK(cublasSetWorkspace(handle_, workspace_.data(), kWorkspaceBytes));
      stream_ = stream;
      bound_ = true;
    }
    return handle_;
  }

 private:
  DeviceBlock workspace_;
  cublasHandle_t handle_ = nullptr;
  cudaStream_t stream_ = nullptr;
  bool bound_ = false;
};

Handle& handle() {
  thread_local Handle mine;
  return mine;
}

cudaDataType type_of(int dtype) {
  switch (dtype) {
    case HXC_FP16: return CUDA_R_16F;
    case HXC_BF16: return CUDA_R_16BF;
    default: return CUDA_R_32F;
  }
}

std::ptrdiff_t distance(const void* from, const void* to) {
  return static_cast<const std::byte*>(to) - static_cast<const std::byte*>(from);
}

// cuBLAS takes no steps backwards.
bool forward(const RowProduct& a, const RowProduct& b) {
  return distance(a.x, b.x) >= 0 && distance(a.w, b.w) >= 0 && distance(a.y, b.y) > 0;
}

bool same_step(const RowProduct& a, const RowProduct& b, const RowProduct& c) {
  return distance(a.x, b.x) == distance(b.x, c.x) && distance(a.w, b.w) == distance(b.w, c.w) &&
         distance(a.y, b.y) == distance(b.y, c.y);
}

// Products [begin, end) whose addresses advance evenly.
void multiply_run(const ProductShape& s, const std::vector<RowProduct>& products, std::size_t begin,
                  std::size_t end, cudaStream_t stream, cublasComputeType_t compute) {
  const cudaDataType type = type_of(s.dtype);
  const std::ptrdiff_t item = s.dtype == HXC_FP32 ? 4 : 2;
  const RowProduct& first = products[begin];
  const RowProduct& second = products[begin + 1 < end ? begin + 1 : begin];
  const float one = 1, zero = 0;
  const auto count = static_cast<int>(end - begin);
  HXC_CHECK(cublasGemmStridedBatchedEx(
      handle().on(stream), s.turned ? CUBLAS_OP_N : CUBLAS_OP_T, CUBLAS_OP_N,
      static_cast<int>(s.out), static_cast<int>(s.rows), static_cast<int>(s.in), &one, first.w,
      type, static_cast<int>(s.w_pitch), distance(first.w, second.w) / item, first.x, type,
      static_cast<int>(s.x_pitch), distance(first.x, second.x) / item, &zero, first.y, type,
      static_cast<int>(s.y_pitch), distance(first.y, second.y) / item, count, compute,
      CUBLAS_GEMM_DEFAULT));
}

}  // namespace

void prepare_blas() {
  handle();
}

void multiply_rows(const ProductShape& shape, const std::vector<RowProduct>& products,
                   cudaStream_t stream, cublasComputeType_t compute) {
  if (shape.rows == 0) return;
  for (std::size_t begin = 0; begin < products.size();) {
    std::size_t end = begin + 1;
    while (end < products.size() && forward(products[end - 1], products[end]) &&
           (end == begin + 1 || same_step(products[end - 2], products[end - 1], products[end]))) {
      ++end;
    }
    multiply_run(shape, products, begin, end, stream, compute);
    begin = end;
  }
}

}  // namespace helixcheck::cuda
