// Prompts: rows the case gives, stored straight into the owners' pages, or chunks of hidden states
// laid out for the subject to project and append.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "helix/rank_state.hpp"
#include "helix/taps.hpp"
#include "mla/inputs.hpp"
#include "world/world.hpp"

namespace helixcheck {

class PromptFiller {
 public:
  // All must outlive the object.
  PromptFiller(const Inputs& inputs, const World& world, RankStates& ranks, TapBuffers& buffers,
               CachePools& pools, Memory& memory, std::int64_t chunk)
      : inputs_(inputs),
        scenario_(inputs.scenario()),
        world_(world),
        ranks_(ranks),
        buffers_(buffers),
        pools_(pools),
        memory_(memory),
        chunk_(chunk) {}

  std::int64_t chunk() const { return chunk_; }  // prompt rows of a rank that make one step

  // Writes a request's prompt rows, in the cache's format, into the pages of every owner.
  void store_given(const RequestState& request);

  // Rows [begin, begin + chunk()) of each rank's own prompt tokens are one chunk; this is the
  // end of the last.
  std::int64_t most_owned(const RequestState& request) const;

  // Prepares the prompt step of a chunk on every rank: hidden states, positions, slots. Returns the
  // token indices of every rank of the world, with no taps yet.
  PromptTaps lay_out_chunk(const RequestState& request, std::int64_t step, std::int64_t begin);

  // Whether a device has made the last chunk's hidden states itself.
  bool hidden_is_drawn() const { return hidden_is_drawn_; }

  // Queues the download of the chunk's rows from a device's cache.
  void read_chunk(const RequestState& request, std::int64_t begin);
  // The chunk's rows were appended, and are on the host.
  void accept_chunk(const RequestState& request, std::int64_t begin);

 private:
  std::int64_t owned(const RequestState& request, int rank) const;
  std::vector<std::int64_t> chunk_tokens(const RequestState& request, int rank,
                                         std::int64_t begin) const;
  void store_row(PagedCache& cache, std::int64_t request, std::int64_t local, const std::byte* row);
  bool can_draw(const PromptTaps& taps) const;
  void fill_hidden(RankState& rank, std::int64_t request, const std::vector<std::int64_t>& tokens);

  const Inputs& inputs_;
  const Scenario& scenario_;
  const World& world_;
  RankStates& ranks_;
  TapBuffers& buffers_;
  CachePools& pools_;
  Memory& memory_;
  const std::int64_t chunk_;
  bool hidden_is_drawn_ = false;
  std::vector<double> values_;  // one widened row
};

}  // namespace helixcheck
