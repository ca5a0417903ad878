// Stage `append` as it should be.

#include "kernels/subject/append.cuh"

namespace helixcheck::cuda {

int append(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  return appending::append_with<appending::AppendDecisions>(instance, ranks, comm, error);
}

}  // namespace helixcheck::cuda
