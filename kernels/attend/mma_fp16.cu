// attend_mma with queries and cache in fp16.

#include "kernels/attend/mma.cuh"

namespace helixcheck::cuda {

void prepare_mma_fp16(const AttendLaunch& launch) {
  prepare_mma<__half>(launch);
}

void launch_mma_fp16(const AttendLaunch& launch, const AttendArgs& args, Grid grid,
                     cudaStream_t stream) {
  launch_mma<__half>(launch, args, grid, stream);
}

}  // namespace helixcheck::cuda
