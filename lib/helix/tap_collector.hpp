// Brings what the ranks of all processes show to the root.

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
  explicit TapCollector(World& world) : world_(world) {}

  using Ranks = std::span<const std::unique_ptr<RankState>>;

  // Reads the local rows of the step's requests back, to be shown as cache_rows by step().
  void read_cache(Ranks ranks, std::span<const StepRequest> requests);

  // Fills taps.ranks on the root with the shown taps of every rank of the world. Views live until
  // the next call. Collective over the world's processes.
  void step(Ranks ranks, const std::vector<Tap>& shown, StepTaps& taps);

  // Fills kv_c and latent of taps.ranks, whose index lists are given.
  void prompt(Ranks ranks, PromptTaps& taps);

 private:
  // One tap of all ranks, brought to the root; shape[0] of each follows from the bytes received.
  std::vector<TapView> gather(std::span<const TapView> local, std::size_t keep);

  World& world_;
  std::vector<std::vector<std::byte>> rows_;            // read back, by local rank
  std::vector<std::array<std::int64_t, 2>> spare_;      // by local rank
  std::array<std::vector<std::byte>, kTapCount> kept_;  // remote bytes, by tap
};

}  // namespace helixcheck
