// Stage `plan`: integers, compared exactly with the definition of ownership.

#include "scenario/ownership.hpp"
#include "verdict/judge_state.hpp"

namespace helixcheck {
namespace {

// Where the row's token goes on this rank: page id * tokens_per_block + offset, or -1.
std::int64_t expected_slot(const JudgeState& state, const StepView& step, const TapView& table,
                           std::int64_t rank, std::int64_t row) {
  if (row >= step.real_rows()) return -1;
  const Row& r = step.taps().rows[static_cast<std::size_t>(row)];
  const Layout& layout = state.scenario.layout;
  const std::int64_t prompt_len = step.request(r.slot).prompt_len;
  const std::int64_t kvp_rank = state.geometry.kvp_rank(rank);
  if (owner_of(layout, r.index, prompt_len) != kvp_rank) return -1;
  const std::int64_t local = owned_count(layout, kvp_rank, r.index, prompt_len);
  const std::int64_t page = layout.kv_cache_tokens_per_block;
  const std::int64_t pages = table.shape[1];
  return table.as_int64()[r.slot * pages + local / page] * page + local % page;
}

void judge_rows(JudgeState& state, const StepView& step, std::int64_t rank) {
  const TapView* position = step.find(rank, Tap::position);
  const TapView* visible = step.find(rank, Tap::visible);
  const TapView* slot = step.find(rank, Tap::slot);
  const TapView* table = step.find(rank, Tap::block_table);
  const TapView* request = step.find(rank, Tap::row_request);
  for (std::int64_t row = 0; row < step.rows(); ++row) {
    const Place place = step.place(row, rank, -1);
    if (position != nullptr) {
      state.ledger.tap(Tap::position)
          .compare_integer(position->as_int64()[row], step.position(row), place);
    }
    if (visible != nullptr) {
      state.ledger.tap(Tap::visible)
          .compare_integer(visible->as_int64()[row], step.visible(rank, row), place);
    }
    if (request != nullptr) {
      const bool real = row < step.real_rows();
      const std::int64_t want = real ? step.taps().rows[static_cast<std::size_t>(row)].slot : -1;
      state.ledger.tap(Tap::row_request).compare_integer(request->as_int64()[row], want, place);
    }
    if (slot != nullptr && table != nullptr) {
      state.ledger.tap(Tap::slot).compare_integer(
          slot->as_int64()[row], expected_slot(state, step, *table, rank, row), place);
    }
  }
}

}  // namespace

void judge_plan(JudgeState& state, const StepView& step) {
  for (std::int64_t rank = 0; rank < state.geometry.ranks; ++rank) {
    judge_rows(state, step, rank);
    const TapView* lengths = step.find(rank, Tap::local_len);
    if (lengths == nullptr) continue;
    for (std::int64_t slot = 0; slot < step.slots(); ++slot) {
      Place place;
      place.step = step.taps().step;
      place.request = step.taps().requests[static_cast<std::size_t>(slot)].id;
      place.rank = rank;
      state.ledger.tap(Tap::local_len)
          .compare_integer(lengths->as_int64()[slot], step.local_len(rank, slot), place);
    }
  }
}

}  // namespace helixcheck
