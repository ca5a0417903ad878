// Finds the blamed lane in its tap, and in the LSE beside it how many keys were counted.

#include "verdict/null_blame.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "mla/formats.hpp"
#include "scenario/ownership.hpp"
#include "verdict/lse_form.hpp"
#include "verdict/null_key.hpp"

namespace helixcheck {
namespace {

// The R values of one lane, and whose keys they are made of.
struct Lane {
  std::vector<double> values;
  std::int64_t kvp_rank = -1;
  std::optional<double> lse;  // natural
};

std::vector<double> values_at(const JudgeState& state, const TapView& tap, std::int64_t lane) {
  std::vector<double> values;
  widen_rows(rows_of(tap, state.geometry.latent, lane), 1, state.geometry.latent, values);
  return values;
}

Lane partial_lane(const JudgeState& state, const StepView& step, const Place& place) {
  const Geometry& g = state.geometry;
  const std::int64_t lane = place.row * g.rank_heads + place.head - g.first_head(place.rank);
  Lane found{
      values_at(state, *step.find(place.rank, Tap::partial_o), lane), g.kvp_rank(place.rank), {}};
  if (const TapView* lse = step.find(place.rank, Tap::lse)) {
    const float* statistics = reinterpret_cast<const float*>(lse->data) + lane * g.lse_values;
    found.lse = natural_lse(state.scenario.layout.lse_form, statistics);
  }
  return found;
}

// The first block that is not zero, and who sent it.
Lane exchanged_lane(const JudgeState& state, const StepView& step, const Place& place) {
  const Geometry& g = state.geometry;
  const TapView& tap = *step.find(place.rank, Tap::exchanged);
  for (std::int64_t peer = 0; peer < g.kvp; ++peer) {
    const std::int64_t lane =
        (peer * step.rows() + place.row) * g.owned_heads + place.head - g.first_owned(place.rank);
    std::vector<double> values = values_at(state, tap, lane);
    if (std::any_of(values.begin(), values.end(), [](double x) { return x != 0; })) {
      return {std::move(values), peer, {}};
    }
  }
  return {};
}

Lane combined_lane(const JudgeState& state, const StepView& step, const Place& place) {
  const Geometry& g = state.geometry;
  const std::int64_t lane = place.row * g.owned_heads + place.head - g.first_owned(place.rank);
  Lane found{values_at(state, *step.find(place.rank, Tap::combined), lane), -1, {}};
  if (const TapView* lse = step.find(place.rank, Tap::combined_lse)) {
    found.lse = reinterpret_cast<const float*>(lse->data)[lane];
  }
  return found;
}

// Keys counted too many: all weights are 1, so their sum is a count, as far as the LSE resolves it.
int surplus_of(double lse, std::int64_t keys) {
  const double count = static_cast<double>(keys), surplus = std::exp(lse) - count;
  const double blur = count * (std::abs(lse) + 1) * 0x1p-22;
  if (blur > 0.4 || !(std::abs(surplus) > 0.5 && std::abs(surplus) < 1.5)) return 0;
  return surplus > 0 ? 1 : -1;
}

}  // namespace

std::string explain_null_failure(const JudgeState& state, const StepView& step,
                                 const Blame& blame) {
  const Place& place = blame.place;
  if (state.problem.data.family != Family::null_test || !blame.tap) return {};
  if (place.row < 0 || place.row >= step.real_rows() || place.rank < 0) return {};
  Lane lane;
  switch (*blame.tap) {
    case Tap::partial_o: lane = partial_lane(state, step, place); break;
    case Tap::exchanged: lane = exchanged_lane(state, step, place); break;
    case Tap::combined: lane = combined_lane(state, step, place); break;
    default: return {};
  }
  const Row& row = step.taps().rows[static_cast<std::size_t>(place.row)];
  NullRow seen{&step.request(row.slot), row.index + 1, lane.kvp_rank, 0};
  if (lane.lse) {
    const std::int64_t keys = lane.kvp_rank < 0
                                  ? seen.visible
                                  : owned_count(state.scenario.layout, lane.kvp_rank, seen.visible,
                                                seen.request->prompt_len);
    seen.surplus = surplus_of(*lane.lse, keys);
  }
  return name_null_key(state.inputs, seen, lane.values);
}

}  // namespace helixcheck
