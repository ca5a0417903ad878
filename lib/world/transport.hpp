// How bytes and sums travel between the processes of a world, one rank a process. That all of them
// enter the same collective has been agreed before; a transport only moves.
//
// Buffers lie in the memory that is passed, and the work is in its order: with a device memory a
// call may return before the work is done.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "device/memory.hpp"
#include "world/world.hpp"

namespace helixcheck {

// This process's part of a collective between the members of a group.
struct Blocks {
  Group group = Group::all;
  const void* send = nullptr;
  void* recv = nullptr;
  std::size_t bytes = 0;  // of a block
  bool gather = false;    // send is one block for every member, else one for each
};

// The same for a sum: recv gets `count` values.
struct Sum {
  Group group = Group::all;
  const void* send = nullptr;
  void* recv = nullptr;
  std::int64_t count = 0;
  std::int32_t dtype = 0;  // hxc_dtype
  bool scatter = false;    // send is `count` values for each member, else for all
};

class Transport {
 public:
  Transport() = default;
  virtual ~Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  virtual std::string_view name() const = 0;  // "host", "staged", "alltoall", "sendrecv"
  // recv block p = the block that member p holds for this rank. The buffers do not overlap.
  virtual void move(Memory& memory, const Blocks& blocks) = 0;
  // In which order and with how many roundings values are added is the transport's own matter.
  virtual void add(Memory& memory, const Sum& sum) = 0;
  // Waits until this process's part of the calls so far is done. Throws ResourceError if another
  // process, or the network to it, is known to have failed.
  virtual void settle(Memory& memory) { memory.synchronize(); }
};

}  // namespace helixcheck
