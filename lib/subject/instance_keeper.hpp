// Instances that outlive a scenario, as an engine's do: state that one scenario leaves behind meets
// the next one. Stale state is among the commonest real faults, and a new instance for each
// scenario would hide it.

#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <string>

#include "subject/helixcheck_subject.h"

namespace helixcheck {

// While it lives, the subjects' instances of this thread are kept when their scenario ends, and
// serve the next scenario with the same model, places and limits (which are rounded up, so that
// more are the same). Not kept are those that were given weights: `layer` has weights of its own in
// each scenario. One at a time in each thread.
class InstanceKeeper {
 public:
  // An instance lives for so many scenarios, so that what it has met can be run again.
  static constexpr std::uint64_t kLife = 16;

  InstanceKeeper();
  ~InstanceKeeper();
  InstanceKeeper(const InstanceKeeper&) = delete;
  InstanceKeeper& operator=(const InstanceKeeper&) = delete;

  // The calling thread's, or nullptr.
  static InstanceKeeper* current();

  // A new scenario begins: instances that have lived long enough are destroyed.
  void next_scenario();

  // What a table's `create` gets; views as in helixcheck_subject.h.
  struct Order {
    const hxc_subject& table;
    const hxc_model& model;
    std::span<const hxc_rank* const> places;
    std::span<const hxc_weights* const> weights;
    const hxc_limits& limits;
  };
  // An instance for the order, new or of an earlier scenario. `status` is what `create` returned.
  void* take(const Order& order, int& status, hxc_error& error);
  // Destroys it if it cannot be kept. Not `reusable`: one of its entries has failed.
  void give_back(const hxc_subject& table, void* handle, bool reusable);

  std::uint64_t reused() const { return reused_; }

 private:
  struct Kept;
  std::list<std::unique_ptr<Kept>> kept_;
  std::uint64_t scenario_ = 0, reused_ = 0;
};

}  // namespace helixcheck
