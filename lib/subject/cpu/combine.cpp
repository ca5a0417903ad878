// Stage `combine`: softmax-weighted merge of the partial results of all KVP ranks.

#include "subject/cpu/combine.hpp"

namespace helixcheck::cpu {

int combine(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  return combine_with<MergeDecisions>(instance, ranks, comm, error);
}

}  // namespace helixcheck::cpu
