// Stage `output`: value up-projection, each rank's share of the output projection, and their sum,
// which every rank must hold with the same bits.

#include <cmath>

#include "mla/formats.hpp"
#include "verdict/bounds.hpp"
#include "verdict/judge_state.hpp"

namespace helixcheck {
namespace {

std::vector<Place> places_on(const StepView& step, std::int64_t rank) {
  std::vector<Place> places;
  for (std::int64_t row = 0; row < step.rows(); ++row) places.push_back(step.place(row, rank, -1));
  return places;
}

void judge_v_up(JudgeState& state, const StepView& step, std::int64_t rank,
                std::span<const Place> places) {
  const Geometry& g = state.geometry;
  const TapView *combined = step.find(rank, Tap::combined), *v_up = step.find(rank, Tap::v_up);
  if (v_up == nullptr) return;
  if (combined == nullptr) return state.lack_input(Tap::v_up);
  for (std::int64_t h = 0; h < g.owned_heads; ++h) {
    const std::int64_t head = g.first_owned(rank) + h;
    const Codes in{combined->dtype, rows_of(*combined, g.latent, h).data, g.owned_heads * g.latent};
    const Codes out{v_up->dtype, rows_of(*v_up, g.value, h).data, g.owned_heads * g.value};
    widen_rows(in, step.rows(), g.latent, state.scratch.input);
    judge_linear(state, state.ledger.tap(Tap::v_up), state.weights.v_up(head), state.scratch.input,
                 out, places, {head, g.value});
  }
}

void judge_o_partial(JudgeState& state, const StepView& step, std::int64_t rank,
                     std::span<const Place> places) {
  const Geometry& g = state.geometry;
  const TapView *v_up = step.find(rank, Tap::v_up), *share = step.find(rank, Tap::o_partial);
  if (share == nullptr) return;
  if (v_up == nullptr) return state.lack_input(Tap::o_partial);
  const std::int64_t width = g.owned_heads * g.value;
  widen_rows(rows_of(*v_up, width), step.rows(), width, state.scratch.input);
  judge_linear(state, state.ledger.tap(Tap::o_partial), state.weights.o_columns(rank),
               state.scratch.input, rows_of(*share, g.hidden), places, {});
}

// Adds the shares of all ranks into scratch.want and their magnitudes into scratch.bound, one row.
// False if a rank's share is hidden.
bool add_shares(JudgeState& state, const StepView& step, std::int64_t row) {
  const Geometry& g = state.geometry;
  const std::span<double> want = sized(state.scratch.want, g.hidden);
  const std::span<double> bound = sized(state.scratch.bound, g.hidden);
  const std::span<double> share = sized(state.scratch.input, g.hidden);
  std::fill(want.begin(), want.end(), 0.0);
  std::fill(bound.begin(), bound.end(), 0.0);
  for (std::int64_t rank = 0; rank < g.ranks; ++rank) {
    const TapView* tap = step.find(rank, Tap::o_partial);
    if (tap == nullptr) return false;
    decode_to(tap->dtype, rows_of(*tap, g.hidden).row(row), share);
    for (std::size_t i = 0; i < share.size(); ++i) {
      want[i] += share[i];
      bound[i] += std::abs(share[i]);
    }
  }
  const double factor = bounds::all_reduce_factor(state.contract(), g.dtype, g.ranks);
  for (double& value : bound) value *= factor;
  return true;
}

void judge_sum(JudgeState& state, const StepView& step) {
  const Geometry& g = state.geometry;
  const TapView* first = step.find(0, Tap::output);
  if (first == nullptr) return;
  Tally& tally = state.ledger.tap(Tap::output);
  for (std::int64_t row = 0; row < step.rows(); ++row) {
    if (!add_shares(state, step, row)) return state.lack_input(Tap::output);
    const std::span<double> got = sized(state.scratch.got, g.hidden);
    decode_to(first->dtype, rows_of(*first, g.hidden).row(row), got);
    tally.compare(first->dtype, got, sized(state.scratch.want, g.hidden),
                  sized(state.scratch.bound, g.hidden), step.place(row, 0, -1));
  }
}

// Every other rank against rank 0, bit for bit.
void judge_agreement(JudgeState& state, const StepView& step) {
  const Geometry& g = state.geometry;
  const TapView* first = step.find(0, Tap::output);
  if (first == nullptr) return;
  for (std::int64_t rank = 1; rank < g.ranks; ++rank) {
    const TapView* other = step.find(rank, Tap::output);
    if (other == nullptr) continue;
    for (std::int64_t row = 0; row < step.rows(); ++row) {
      state.ledger.tap(Tap::output)
          .compare_codes(other->dtype, rows_of(*other, g.hidden).row(row),
                         rows_of(*first, g.hidden).row(row), g.hidden, step.place(row, rank, -1));
    }
  }
}

}  // namespace

void judge_output(JudgeState& state, const StepView& step) {
  for (std::int64_t rank = 0; rank < state.geometry.ranks; ++rank) {
    const std::vector<Place> places = places_on(step, rank);
    judge_v_up(state, step, rank, places);
    judge_o_partial(state, step, rank, places);
  }
  judge_sum(state, step);
  judge_agreement(state, step);
}

}  // namespace helixcheck
