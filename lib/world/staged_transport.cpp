// The upload at the end is left in flight: the next collective waits for it, in the order of the
// memory, before it writes to the same place on the host.

#include "world/staged_transport.hpp"

#include <algorithm>

#include "mla/formats.hpp"

namespace helixcheck {

std::byte* Staging::reserve(Memory& memory, Block& block, std::size_t bytes) {
  if (block.size() < bytes) {
    memory.synchronize();
    block = Block();  // first, or both would be held
    block = Block(memory, std::max(bytes, std::size_t{1} << 16), Block::Side::host);
  }
  return block.data();
}

void StagedTransport::move(Memory& memory, const Blocks& blocks) {
  const std::size_t all = members(blocks.group) * blocks.bytes;
  const std::size_t sent = blocks.gather ? blocks.bytes : all;
  std::byte* send = staging_.send(memory, sent);
  std::byte* recv = staging_.recv(memory, all);
  memory.download(send, blocks.send, sent);
  memory.synchronize();
  host_.move(host_memory(), {blocks.group, send, recv, blocks.bytes, blocks.gather});
  memory.upload(blocks.recv, recv, all);
}

void StagedTransport::add(Memory& memory, const Sum& sum) {
  const std::size_t bytes =
      static_cast<std::size_t>(sum.count) * size_of(static_cast<Dtype>(sum.dtype));
  const std::size_t sent = sum.scatter ? members(sum.group) * bytes : bytes;
  std::byte* send = staging_.send(memory, sent);
  std::byte* recv = staging_.recv(memory, bytes);
  memory.download(send, sum.send, sent);
  memory.synchronize();
  host_.add(host_memory(), {sum.group, send, recv, sum.count, sum.dtype, sum.scatter});
  memory.upload(sum.recv, recv, bytes);
}

}  // namespace helixcheck
