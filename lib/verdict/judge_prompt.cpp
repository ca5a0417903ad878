// Prompt rows as their owners projected them: `kv_c` and `latent`, in chunks, and the rows that the
// cache must hold from then on.

#include <algorithm>
#include <stdexcept>

#include "mla/formats.hpp"
#include "scenario/ownership.hpp"
#include "verdict/judge_state.hpp"

namespace helixcheck {
namespace {

constexpr std::int64_t kChunk = 256;  // prompt rows recomputed at once

struct Chunk {
  std::vector<Row> rows;
  std::vector<Place> places;
  std::vector<std::int64_t> positions;
};

Chunk make_chunk(const JudgeState& state, const PromptTaps& taps, std::int64_t rank,
                 std::span<const std::int64_t> indices) {
  const RequestState& request = taps.history->request(taps.request);
  Chunk chunk;
  for (const std::int64_t index : indices) {
    chunk.rows.push_back({taps.request, 0, index, request.tokens.at(index)});
    Place place;
    place.step = taps.step;
    place.request = taps.request;
    place.row = index;
    place.rank = rank;
    place.element = 0;
    chunk.places.push_back(place);
    chunk.positions.push_back(state.problem.position_base + index);
  }
  return chunk;
}

// Rows first .. first + count of a rank's run of prompt tokens.
void judge_rows(JudgeState& state, const PromptTaps& taps, std::int64_t rank, std::int64_t first,
                std::int64_t count) {
  const PromptTaps::RankRows& shown = taps.ranks[static_cast<std::size_t>(rank)];
  const Chunk chunk =
      make_chunk(state, taps, rank,
                 std::span(shown.index)
                     .subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)));
  const std::int64_t width = state.geometry.width;
  if (!shown.kv_c.present) return;
  load_hidden(state, chunk.rows);
  judge_linear(state, state.ledger.tap(Tap::kv_c), state.weights.kv_a(), state.scratch.hidden,
               rows_of(shown.kv_c, width, first), chunk.places, {});
  if (!shown.latent.present) return;
  judge_latent(state, state.ledger.tap(Tap::latent), rows_of(shown.kv_c, width, first),
               rows_of(shown.latent, width, first), chunk.positions, chunk.places);
}

// Ranks of the same KVP rank hold the same rows: equal bits are judged once.
bool has_twin(const JudgeState& state, const PromptTaps& taps, std::int64_t rank) {
  const PromptTaps::RankRows& shown = taps.ranks[static_cast<std::size_t>(rank)];
  for (std::int64_t other = state.geometry.kvp_rank(rank); other < rank;
       other += state.geometry.kvp) {
    const PromptTaps::RankRows& twin = taps.ranks[static_cast<std::size_t>(other)];
    if (shown.index == twin.index && shown.kv_c.present && twin.kv_c.present &&
        shown.latent.present && twin.latent.present && same_bits(&shown.kv_c, &twin.kv_c) &&
        same_bits(&shown.latent, &twin.latent)) {
      return true;
    }
  }
  return false;
}

void judge_owners(JudgeState& state, const PromptTaps& taps, std::int64_t rank) {
  const std::int64_t prompt_len = taps.history->request(taps.request).prompt_len;
  for (const std::int64_t index : taps.ranks[static_cast<std::size_t>(rank)].index) {
    if (owner_of(state.scenario.layout, index, prompt_len) == state.geometry.kvp_rank(rank)) {
      continue;
    }
    throw std::logic_error("the pipeline gave a prompt row to a rank that does not own it");
  }
}

}  // namespace

void judge_prompt(JudgeState& state, const PromptTaps& taps) {
  const Geometry& g = state.geometry;
  if (state.problem.entry != Entry::layer || state.problem.prompt == Prompt::given) return;
  for (std::int64_t rank = 0; rank < g.ranks; ++rank) {
    const PromptTaps::RankRows& shown = taps.ranks[static_cast<std::size_t>(rank)];
    const std::int64_t rows = std::ssize(shown.index);
    judge_owners(state, taps, rank);
    if (has_twin(state, taps, rank)) {
      state.ledger.tap(Tap::kv_c).count_equal(rows * g.width);
      state.ledger.tap(Tap::latent).count_equal(rows * g.width);
    } else {
      for (std::int64_t first = 0; first < rows; first += kChunk) {
        judge_rows(state, taps, rank, first, std::min(kChunk, rows - first));
      }
    }
    for (std::int64_t row = 0; row < rows; ++row) {
      state.mirror.push(taps.request, rank,
                        shown.latent.present ? rows_of(shown.latent, g.width).row(row) : nullptr);
    }
  }
}

}  // namespace helixcheck
