// The simulated world: all ranks in this process, collectives as copies in memory. Deterministic,
// and the meaning that every other world must reproduce bit for bit.

#include <cstring>

#include "world/statement.hpp"
#include "world/world.hpp"

namespace helixcheck {
namespace {

class SimWorld final : public World {
 public:
  using World::World;

  std::string_view name() const override { return "sim"; }
  int first_local() const override { return 0; }
  int local_ranks() const override { return size(); }

  void all_to_all(Group group, std::span<const void* const> send, std::span<void* const> recv,
                  std::size_t bytes, std::int64_t step) override {
    exchange({Collective::all_to_all, group, step, static_cast<std::int64_t>(bytes)}, send, recv);
  }

  void all_gather(Group group, std::span<const void* const> send, std::span<void* const> recv,
                  std::size_t bytes, std::int64_t step) override {
    exchange({Collective::all_gather, group, step, static_cast<std::int64_t>(bytes)}, send, recv);
  }

  std::vector<Bytes> gather_to_root(std::span<const Bytes> local) override {
    check_buffers({Collective::gather_to_root}, local.size(), local.size(), size());
    return {local.begin(), local.end()};
  }

  bool agree(bool root_says) override { return root_says; }

 private:
  // Each rank receives one block from each member of its group, in rank order: the member's block
  // for this rank (all_to_all), or its only one (all_gather).
  void exchange(const Statement& statement, std::span<const void* const> send,
                std::span<void* const> recv) {
    check_buffers(statement, send.size(), recv.size(), size());
    const auto bytes = static_cast<std::size_t>(statement.value);
    if (bytes == 0) return;
    const int members = group_size(statement.group);
    for (int rank = 0; rank < size(); ++rank) {
      const int begin = group_begin(statement.group, rank);
      const int block = statement.kind == Collective::all_to_all ? rank - begin : 0;
      auto* to = static_cast<std::byte*>(recv[static_cast<std::size_t>(rank)]);
      for (int member = 0; member < members; ++member, to += bytes) {
        const void* from = send[static_cast<std::size_t>(begin + member)];
        std::memcpy(to,
                    static_cast<const std::byte*>(from) + static_cast<std::size_t>(block) * bytes,
                    bytes);
      }
    }
  }
};

}  // namespace

std::unique_ptr<World> make_sim_world(int kvp, int tpa) {
  return std::make_unique<SimWorld>(kvp, tpa);
}

}  // namespace helixcheck
