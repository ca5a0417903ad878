// Stage `plan`: who writes each new row, where, and how many of this rank's keys each row sees.

#include "subject/cpu/plan.hpp"

#include "subject/cpu/instance.hpp"

namespace helixcheck::cpu {

int plan(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  return plan_with<PlanDecisions>(instance, ranks, comm, error);
}

}  // namespace helixcheck::cpu
