// Stage `attend`: absorbed attention over this rank's own keys, in tiles with a running maximum.

#include "subject/cpu/attend.hpp"

namespace helixcheck::cpu {

int attend(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  return attend_with<AttendDecisions>(instance, ranks, comm, error);
}

}  // namespace helixcheck::cpu
