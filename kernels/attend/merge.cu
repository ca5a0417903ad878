// attend_merge as it should be.

#include "kernels/attend/merge.cuh"

namespace helixcheck::cuda {

void launch_merge(const AttendArgs& args, std::int64_t rows, int ranks, cudaStream_t stream) {
  merge::launch<merge::MergeDecisions>(args, rows, ranks, stream);
}

}  // namespace helixcheck::cuda
