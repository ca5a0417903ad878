// attend_simt as it should be.

#include "kernels/attend/simt.cuh"

namespace helixcheck::cuda {

std::size_t simt_shared_bytes(const AttendSizes& sizes, int head_block) {
  return kTile * sizeof(std::int64_t) +
         sizeof(float) * simt::scratch_floats(sizes.latent, sizes.latent + sizes.rope, head_block);
}

void prepare_simt(const AttendLaunch& launch) {
  simt::prepare<simt::SimtDecisions>(launch);
}

void launch_simt(const AttendLaunch& launch, const AttendArgs& args, Grid grid,
                 cudaStream_t stream) {
  simt::launch<simt::SimtDecisions>(launch, args, grid, stream);
}

}  // namespace helixcheck::cuda
