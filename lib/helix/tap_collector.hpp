// Brings what the ranks of all processes show to the root, tap by tap, as it is shown.

#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "helix/rank_state.hpp"
#include "helix/taps.hpp"
#include "world/world.hpp"

namespace helixcheck {

class TapCollector {
 public:
  // `mirrored`: the ranks' host buffers are mirrors of a device's, which only the harness writes.
  TapCollector(World& world, RankStates& ranks, bool mirrored)
      : world_(world), ranks_(ranks), mirrored_(mirrored) {}

  // Forgets the taps of the last step.
  void begin_step();

  // Reads the local rows of the step's requests back, for cache_rows, and what else `append` wrote,
  // for cache_spare. The step's new rows are taken as written.
  void read_cache(std::span<const StepRequest> requests);
  // What was written to the cache since then, for cache_late.
  void read_late_changes();

  // Brings one tap of every rank to the root, as it is now: a copy, but where all ranks are here
  // and nobody else writes. Collective over the world's processes.
  void take(Tap tap);

  // Fills taps.ranks on the root with what was taken. Views live until the next step.
  void finish(StepTaps& taps) const;

  // Fills kv_c and latent of taps.ranks, whose index lists are given.
  void take_prompt(PromptTaps& taps);

 private:
  using Pair = std::array<std::int64_t, 2>;  // changed bytes, offset of the first

  TapView local_view(std::size_t rank, Tap tap) const;
  // One tap of all ranks; shape[0] of each follows from the bytes received.
  const std::vector<TapView>& gather(Tap tap);

  // Room that is not filled before it is written.
  struct Rows {
    std::unique_ptr<std::byte[]> data;
    std::size_t room = 0, size = 0;
    void resize(std::size_t bytes);
  };
  // Of the harness itself: no stage can change it after it was taken.
  bool stays(Tap tap) const;

  World& world_;
  RankStates& ranks_;
  const bool mirrored_;
  std::vector<Rows> rows_;          // read back, by local rank
  std::vector<Pair> spare_, late_;  // by local rank
  struct Kept {
    std::vector<std::byte> bytes;
    std::vector<TapView> views;  // by rank of the world; empty: not taken
  };
  std::array<Kept, kTapCount> kept_;
};

}  // namespace helixcheck
