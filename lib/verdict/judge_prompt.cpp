// Prompt rows as their owners projected them: `kv_c` and `latent`, in chunks or, where there is an
// accelerator, all at once, and the rows that the cache must hold from then on.

#include <algorithm>
#include <stdexcept>

#include "mla/formats.hpp"
#include "scenario/ownership.hpp"
#include "verdict/bounds.hpp"
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

// All rows of a rank at once, on the accelerator. False where there is none or the work is small.
bool judge_all_rows(JudgeState& state, const PromptTaps& taps, std::int64_t rank) {
  const PromptTaps::RankRows& shown = taps.ranks[static_cast<std::size_t>(rank)];
  const Geometry& g = state.geometry;
  const double flops = 2.0 * static_cast<double>(std::ssize(shown.index) * g.width * g.hidden);
  const bool alike = shown.kv_c.dtype == g.dtype && shown.latent.dtype == g.dtype;
  if (state.accelerator == nullptr || flops < kAcceleratedFlops) return false;
  if (!shown.kv_c.present || !shown.latent.present || !alike) return false;

  const Contract& contract = state.contract();
  const LinearMap map = state.weights.kv_a();
  const RequestState& request = taps.history->request(taps.request);
  PromptRows rows;
  rows.rows = std::ssize(shown.index);
  rows.hidden = g.hidden;
  rows.latent = g.latent;
  rows.rope = g.rope;
  rows.dtype = g.dtype;
  std::vector<Token> tokens;
  std::vector<std::int64_t> positions;
  for (const std::int64_t index : shown.index) {
    tokens.push_back(request.tokens.at(index));
    positions.push_back(state.problem.position_base + index);
  }
  rows.drawn = state.inputs.drawn_hidden();
  rows.tokens = tokens;
  if (!rows.drawn) rows.x = load_codes(state, tokens);
  rows.w = map.w.codes();
  rows.w_norms = map.norms;
  rows.norm_weight = state.weights.kv_a_norm();
  rows.eps = state.problem.rms_norm_eps;
  rows.table = &state.inputs.rope();
  rows.interleave = state.problem.rope_interleave;
  rows.positions = positions;
  rows.bounds = {bounds::linear_factor(contract, g.dtype, g.hidden),
                 bounds::rms_norm_factor(contract, g.dtype, g.latent),
                 bounds::rope_bound(contract, rows.table->cos_scale),
                 bounds::underflow(g.hidden),
                 bounds::underflow(2),
                 bounds::underflow(4)};
  rows.kv_c = shown.kv_c.data;
  rows.stored_latent = shown.latent.data;

  const PromptEvidence seen = state.accelerator->check_prompt(rows);
  const auto book = [&](Tap tap, const Evidence& evidence) {
    const std::int64_t row = evidence.worst.row;
    const std::int64_t index = row < 0 ? -1 : shown.index[static_cast<std::size_t>(row)];
    state.ledger.tap(tap).absorb(
        evidence, {taps.step, taps.request, index, -1, rank, evidence.worst.element});
  };
  book(Tap::kv_c, seen.kv_c);
  book(Tap::latent, seen.latent);
  return true;
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
    } else if (!judge_all_rows(state, taps, rank)) {
      for (std::int64_t first = 0; first < rows; first += kChunk) {
        judge_rows(state, taps, rank, first, std::min(kChunk, rows - first));
      }
    }
    const std::int64_t prompt_len = taps.history->request(taps.request).prompt_len;
    state.mirror.expect(
        taps.request, rank,
        owned_count(state.scenario.layout, g.kvp_rank(rank), prompt_len, prompt_len));
    state.mirror.push(taps.request, rank, shown.latent.present ? shown.latent.data : nullptr, rows);
  }
}

}  // namespace helixcheck
