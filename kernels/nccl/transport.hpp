// NCCL between processes with a GPU each.

#pragma once

#include <memory>
#include <string>

#include "device/memory.hpp"
#include "device/nccl.hpp"

namespace helixcheck::cuda {

// "NCCL 2.28.9", or why there is none.
std::string nccl_version();

// Why NCCL cannot be used by this build on this machine; empty: it can.
std::string nccl_missing();

// As Module::make_nccl_group says.
std::unique_ptr<NcclGroup> make_nccl_group(Memory& memory, const NcclPlace& place,
                                           const Broadcast& broadcast);

}  // namespace helixcheck::cuda
