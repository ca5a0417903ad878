// attend_mma with queries and cache in bf16.

#include "kernels/attend/mma.cuh"

namespace helixcheck::cuda {

std::size_t mma_shared_bytes(const AttendSizes& sizes, int head_block, int stages) {
  const int width = static_cast<int>(sizes.latent + sizes.rope);
  return static_cast<std::size_t>(mma_layout(width, head_block, stages).total);
}

void prepare_mma_bf16(const AttendLaunch& launch) {
  prepare_mma<__nv_bfloat16>(launch);
}

void launch_mma_bf16(const AttendLaunch& launch, const AttendArgs& args, Grid grid,
                     cudaStream_t stream) {
  launch_mma<__nv_bfloat16>(launch, args, grid, stream);
}

}  // namespace helixcheck::cuda
