// Stands in for nccl_transport.cpp in a build without NCCL: says what is missing.

#include "kernels/nccl/transport.hpp"
#include "scenario/error.hpp"
#include "world/transport.hpp"

namespace helixcheck::cuda {
namespace {

constexpr const char* kMissing =
    "this build has no NCCL: install it beside the CUDA toolkit (nccl.h, libnccl.so) and configure "
    "again";

}  // namespace

std::string nccl_version() {
  return "no NCCL";
}

std::string nccl_missing() {
  return kMissing;
}

std::unique_ptr<NcclGroup> make_nccl_group(Memory&, const NcclPlace&, const Broadcast&) {
  throw ResourceError(kMissing);
}

}  // namespace helixcheck::cuda
