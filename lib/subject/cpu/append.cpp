// Stage `append`: a token's owner stores its latent row in the paged cache, in the cache's format.

#include "subject/cpu/append.hpp"

namespace helixcheck::cpu {

int append(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  return append_with<AppendDecisions>(instance, ranks, comm, error);
}

}  // namespace helixcheck::cpu
