// A world: kvp x tpa ranks that run a case together, and the collectives between them.
//
// `sim` runs all ranks in this process, one after the other; `mpi` runs one rank a process. The
// pipeline is written once against this interface: it loops over the ranks of this process and
// calls a collective with the buffers of all of them. Rank r = tpa_rank * kvp + kvp_rank; the KVP
// groups are runs of consecutive ranks.
//
// Every rank states which collective it enters (kind, bytes, step). A world in which the ranks
// disagree throws SubjectError naming both, instead of hanging.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "device/memory.hpp"

namespace helixcheck {

enum class Group { kvp, all };

using Bytes = std::span<const std::byte>;

class World {
 public:
  World(int kvp, int tpa) : kvp_(kvp), tpa_(tpa) {}
  virtual ~World() = default;
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  int kvp() const { return kvp_; }
  int tpa() const { return tpa_; }
  int size() const { return kvp_ * tpa_; }
  int group_size(Group group) const { return group == Group::kvp ? kvp_ : size(); }

  virtual std::string_view name() const = 0;
  virtual int first_local() const = 0;  // the ranks of this process are consecutive
  virtual int local_ranks() const = 0;
  bool is_root() const { return first_local() == 0; }  // rank 0 lives here: it judges

  // send[i], recv[i]: buffers of local rank i, one block of `bytes` for each group member.
  // recv[i] block p = the block that member p holds for rank i.
  virtual void all_to_all(Group group, std::span<const void* const> send,
                          std::span<void* const> recv, std::size_t bytes, std::int64_t step) = 0;

  // send[i]: one block of `bytes`; recv[i]: one block for each group member, in rank order.
  virtual void all_gather(Group group, std::span<const void* const> send,
                          std::span<void* const> recv, std::size_t bytes, std::int64_t step) = 0;

  // recv[i]: the sum over the group of `count` values of `dtype` (hxc_dtype).
  virtual void all_reduce(Group group, std::span<const void* const> send,
                          std::span<void* const> recv, std::int64_t count, std::int32_t dtype,
                          std::int64_t step) = 0;

  // send[i]: `count` values for each group member; recv[i]: the sum over the group of rank i's.
  virtual void reduce_scatter(Group group, std::span<const void* const> send,
                              std::span<void* const> recv, std::int64_t count, std::int32_t dtype,
                              std::int64_t step) = 0;

  // Where the buffers of collectives lie, and in whose order they are worked on: host memory until
  // somebody says otherwise. It must outlive the world or the next call.
  virtual void use(Memory& memory) { memory_ = &memory; }

  // Whether collectives on device memory may be recorded: not where they pass through the host.
  virtual bool recordable() const { return true; }

  // Harness traffic, no part of the test. The root gets every rank's bytes in rank order (sizes may
  // differ), other processes get an empty list. Views live until the next call or until the local
  // data goes.
  virtual std::vector<Bytes> gather_to_root(std::span<const Bytes> local) = 0;

  // True everywhere if it is true at the root.
  virtual bool agree(bool root_says) = 0;

  // Names what this process does from now on, for the error that a dead or hung rank ends in.
  // Cheap enough to be called at each stage, chunk and case; each call is a sign of life, and a
  // stage that shows none for the session's hang limit counts as hung. Waiting in a collective does
  // not count: the rank that is waited for does.
  virtual void enter(std::string_view stage, std::int64_t step) {
    (void)stage;
    (void)step;
  }

  // The same for the harness's own work (making a case, judging it), which has no time limit:
  // references of long contexts take minutes. Ends at the next call of enter.
  virtual void enter_harness(std::string_view work, std::int64_t step) {
    (void)work;
    (void)step;
  }

 protected:
  Memory& memory() const { return *memory_; }

 private:
  int kvp_;
  int tpa_;
  Memory* memory_ = &host_memory();
};

std::unique_ptr<World> make_sim_world(int kvp, int tpa);

// Told of each stage that a simulated world of this process enters, `harness` for work that is not
// the subject's, in the thread that runs it; nullptr: nobody is. Set before any world runs.
using StageListener = void (*)(std::string_view stage, std::int64_t step, bool harness);
void tell_stages_of_sim_worlds(StageListener listener);

}  // namespace helixcheck
