// Stage `output`: value up-projection of the owned heads, this rank's share of the output
// projection, and the sum over all ranks, taken in rank order so that every world adds alike.

#include "subject/cpu/output.hpp"

namespace helixcheck::cpu {

int output(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  return output_with<OutputDecisions>(instance, ranks, comm, error);
}

}  // namespace helixcheck::cpu
