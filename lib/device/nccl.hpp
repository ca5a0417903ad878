// NCCL as the rest of the program sees it: transports between processes with a GPU each, without a
// type of NCCL or CUDA.

#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>

namespace helixcheck {

class Transport;  // world/transport.hpp

namespace cuda {

// Brings `data` of rank 0 to every rank of the group.
using Broadcast = std::function<void(std::span<std::byte> data)>;

struct NcclPlace {
  int rank = 0;
  int size = 1;
};

// Processes that have NCCL communicators with each other, one rank and one GPU each. Communicators
// are made when first asked for and kept: it takes most of a second.
class NcclGroup {
 public:
  virtual ~NcclGroup() = default;
  // Collective over the group, with equal arguments. The transport of worlds whose KVP groups are
  // runs of `kvp` ranks. `send_recv`: all-to-all as grouped sends and receives, else NCCL's own;
  // both give the same bits. It lives as long as the group.
  virtual Transport& transport(int kvp, bool send_recv) = 0;
};

}  // namespace cuda
}  // namespace helixcheck
