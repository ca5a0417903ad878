// HXC_NCCL_CHECK(communicator, call): a failed call of NCCL becomes an exception as HXC_CHECK's.

#pragma once

#include <nccl.h>

#include "kernels/check.hpp"

namespace helixcheck::cuda {

// `communicator` may be null: before there is one.
void check_nccl(ncclResult_t result, ncclComm_t communicator, const Site& site);

}  // namespace helixcheck::cuda

#define HXC_NCCL_CHECK(communicator, call)               \
  ::helixcheck::cuda::check_nccl((call), (communicator), \
                                 ::helixcheck::cuda::Site{#call, __FILE__, __LINE__})
