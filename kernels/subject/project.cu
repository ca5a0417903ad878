// Stage `project` as it should be.

#include "kernels/subject/project.cuh"

namespace helixcheck::cuda {

int project(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  return projecting::project_with<projecting::ProjectDecisions>(instance, ranks, comm, error);
}

}  // namespace helixcheck::cuda
