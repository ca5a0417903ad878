// Stage `exchange`: all-to-all over heads inside the KVP group. Slice s of a rank's heads goes to
// KVP rank s. Only bits move.

#include "subject/cpu/exchange.hpp"

namespace helixcheck::cpu {

int exchange(void* instance, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  return exchange_with<ExchangeDecisions>(instance, ranks, comm, error);
}

}  // namespace helixcheck::cpu
