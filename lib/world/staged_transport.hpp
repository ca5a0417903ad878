// Device memory by way of the host: works between any two processes, also when they share a GPU,
// and gives the sums of the simulated world.

#pragma once

#include "world/transport.hpp"

namespace helixcheck {

// Host memory for transfers, kept from one collective to the next.
class Staging {
 public:
  // Of one memory; what was there before may still be on its way and is waited for.
  std::byte* send(Memory& memory, std::size_t bytes) { return reserve(memory, send_, bytes); }
  std::byte* recv(Memory& memory, std::size_t bytes) { return reserve(memory, recv_, bytes); }

 private:
  static std::byte* reserve(Memory& memory, Block& block, std::size_t bytes);

  Block send_;
  Block recv_;
};

// What it is given must outlive it. `host` moves between the ranks of the same world, whose groups
// have `kvp` and `size` members.
class StagedTransport final : public Transport {
 public:
  StagedTransport(Transport& host, Staging& staging, int kvp, int size)
      : host_(host), staging_(staging), kvp_(kvp), size_(size) {}
  std::string_view name() const override { return "staged"; }
  void move(Memory& memory, const Blocks& blocks) override;
  void add(Memory& memory, const Sum& sum) override;

 private:
  std::size_t members(Group group) const {
    return static_cast<std::size_t>(group == Group::kvp ? kvp_ : size_);
  }

  Transport& host_;
  Staging& staging_;
  int kvp_;
  int size_;
};

}  // namespace helixcheck
