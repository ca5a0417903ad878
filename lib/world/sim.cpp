// The simulated world: all ranks in this process, collectives as copies in memory. Deterministic,
// and the meaning that every other world must reproduce bit for bit.

#include "world/statement.hpp"
#include "world/world.hpp"

namespace helixcheck {
namespace {

StageListener stage_listener = nullptr;

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

  void all_reduce(Group group, std::span<const void* const> send, std::span<void* const> recv,
                  std::int64_t count, std::int32_t dtype, std::int64_t step) override {
    sum({Collective::all_reduce, group, step, count}, send, recv, dtype);
  }

  void reduce_scatter(Group group, std::span<const void* const> send, std::span<void* const> recv,
                      std::int64_t count, std::int32_t dtype, std::int64_t step) override {
    sum({Collective::reduce_scatter, group, step, count}, send, recv, dtype);
  }

  std::vector<Bytes> gather_to_root(std::span<const Bytes> local) override {
    check_buffers({Collective::gather_to_root}, local.size(), local.size(), size());
    return {local.begin(), local.end()};
  }

  bool agree(bool root_says) override { return root_says; }

  void enter(std::string_view stage, std::int64_t step) override {
    if (stage_listener != nullptr) stage_listener(stage, step, false);
  }
  void enter_harness(std::string_view work, std::int64_t step) override {
    if (stage_listener != nullptr) stage_listener(work, step, true);
  }

 private:
  void exchange(const Statement& statement, std::span<const void* const> send,
                std::span<void* const> recv) {
    check_buffers(statement, send.size(), recv.size(), size());
    memory().exchange({send, recv, group_size(statement.group),
                       static_cast<std::size_t>(statement.value),
                       statement.kind == Collective::all_gather});
  }

  void sum(const Statement& statement, std::span<const void* const> send,
           std::span<void* const> recv, std::int32_t dtype) {
    check_buffers(statement, send.size(), recv.size(), size());
    memory().sum({send, recv, group_size(statement.group), statement.value, dtype,
                  statement.kind == Collective::reduce_scatter});
  }
};

}  // namespace

std::unique_ptr<World> make_sim_world(int kvp, int tpa) {
  return std::make_unique<SimWorld>(kvp, tpa);
}

void tell_stages_of_sim_worlds(StageListener listener) {
  stage_listener = listener;
}

}  // namespace helixcheck
