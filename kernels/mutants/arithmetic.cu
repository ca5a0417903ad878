// Faster arithmetic of the device where it is not meant: as intrinsics and in cuBLAS.

#include "kernels/mutants/mutants.hpp"
#include "kernels/subject/project.cuh"

namespace helixcheck::cuda::planted {
namespace {

using projecting::ProjectDecisions;

// Products of fp32 codes on tensor cores, which read the first ten bits of a fraction.
struct ProductsInTf32 : ProjectDecisions {
  static cublasComputeType_t compute(int dtype) {
    return dtype == HXC_FP32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : ProjectDecisions::compute(dtype);
  }
};

// Intrinsics that do not reduce the angle.
struct FastTrigonometry : ProjectDecisions {
  static __device__ void sine_and_cosine(double angle, double& sine, double& cosine) {
    const auto single = static_cast<float>(angle);
    sine = __sinf(single);
    cosine = __cosf(single);
  }
};

}  // namespace

int products_in_tf32(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  return projecting::project_with<ProductsInTf32>(instance, ranks, comm, error);
}

int fast_trigonometry(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  return projecting::project_with<FastTrigonometry>(instance, ranks, comm, error);
}

}  // namespace helixcheck::cuda::planted
