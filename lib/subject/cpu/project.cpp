// Stage `project`: queries and the latent row, with every rounded store where the engines have it.

#include "subject/cpu/project.hpp"

namespace helixcheck::cpu {

int project(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  return project_with<ProjectDecisions>(instance, ranks, comm, error);
}

}  // namespace helixcheck::cpu
