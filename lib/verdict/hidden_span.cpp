// All requests are computed first: a step is judged by one rule, or by another.

#include "verdict/hidden_span.hpp"

#include <algorithm>
#include <limits>

#include "mla/formats.hpp"
#include "scenario/ownership.hpp"
#include "verdict/span_reference.hpp"

namespace helixcheck {
namespace {

// Codes of the rows that one rank holds of a request, in local order.
std::vector<std::byte> cache_codes(const JudgeState& state, const RequestState& request,
                                   std::int64_t rank) {
  const Geometry& g = state.geometry;
  const auto width = static_cast<std::size_t>(g.width);
  std::vector<std::byte> drawn(width * size_of(g.dtype)), codes;
  std::vector<double> values(width);
  for (const TokenRun& run : request.tokens.runs()) {
    for (std::int64_t i = 0; i < run.count; ++i) {
      const std::int64_t index = run.index + i;
      if (owner_of(state.scenario.layout, index, request.prompt_len) != rank) continue;
      state.inputs.latent({run.first.request, run.first.draw + i}, index, 1, drawn.data());
      decode_to(g.dtype, drawn.data(), std::span<double>(values));
      for (double& value : values) value /= state.problem.kv_scale;
      codes.resize(codes.size() + width * size_of(g.kv_dtype));
      encode_from(g.kv_dtype, std::span<const double>(values),
                  codes.data() + codes.size() - width * size_of(g.kv_dtype));
    }
  }
  return codes;
}

// What one rank shows of (row, its i-th owned head) against exact values [R] and their bounds.
void compare_lane(JudgeState& state, const StepView& step, std::int64_t rank, std::int64_t row,
                  std::int64_t i, std::span<const double> o, std::span<const double> error,
                  double lse, double lse_error) {
  const Geometry& g = state.geometry;
  const std::int64_t lane = row * g.owned_heads + i;
  const Place place = step.place(row, rank, g.first_owned(rank) + i);
  if (const TapView* shown = step.find(rank, Tap::combined)) {
    const std::span<double> got = sized(state.scratch.got, g.latent);
    decode_to(shown->dtype, rows_of(*shown, g.latent, lane).data, got);
    state.ledger.tap(Tap::combined).compare(shown->dtype, got, o, error, place);
  }
  if (const TapView* shown = step.find(rank, Tap::combined_lse)) {
    state.ledger.tap(Tap::combined_lse)
        .compare(Dtype::fp32, reinterpret_cast<const float*>(shown->data)[lane], lse, lse_error,
                 place);
  }
}

// The queries of a request's rows, widened: [rows, H, R + P].
std::vector<double> queries(const JudgeState& state, const StepView& step, std::int64_t slot) {
  const Geometry& g = state.geometry;
  const auto per_row = static_cast<std::size_t>(g.heads * g.width);
  std::vector<std::byte> codes(per_row * size_of(g.dtype));
  std::vector<double> q(static_cast<std::size_t>(step.row_count(slot)) * per_row);
  for (std::int64_t row = 0; row < step.row_count(slot); ++row) {
    state.inputs.query(step.taps().rows[static_cast<std::size_t>(step.first_row(slot) + row)],
                       codes.data());
    decode_to(g.dtype, codes.data(),
              std::span(q).subspan(static_cast<std::size_t>(row) * per_row, per_row));
  }
  return q;
}

SpanLanes reference_of(const JudgeState& state, const StepView& step, std::int64_t slot) {
  const Geometry& g = state.geometry;
  std::vector<std::vector<std::byte>> codes;
  std::vector<SpanShard> shards;
  for (std::int64_t rank = 0; rank < g.kvp; ++rank) {
    codes.push_back(cache_codes(state, step.request(slot), rank));
    SpanShard& shard = shards.emplace_back();
    shard.keys = {g.kv_dtype, state.problem.kv_scale, codes.back().data()};
    for (std::int64_t row = 0; row < step.row_count(slot); ++row) {
      shard.visible.push_back(step.visible(rank, step.first_row(slot) + row));
    }
  }
  return span_reference(state.inputs, state.contracts, queries(state, step, slot), shards,
                        state.accelerator);
}

void judge_request(JudgeState& state, const StepView& step, std::int64_t slot,
                   const SpanLanes& lanes) {
  const Geometry& g = state.geometry;
  const auto latent = static_cast<std::size_t>(g.latent);
  for (std::int64_t rank = 0; rank < g.ranks; ++rank) {
    for (std::int64_t row = 0; row < step.row_count(slot); ++row) {
      for (std::int64_t i = 0; i < g.owned_heads; ++i) {
        const auto lane = static_cast<std::size_t>(row * g.heads + g.first_owned(rank) + i);
        compare_lane(state, step, rank, step.first_row(slot) + row, i,
                     {lanes.o.data() + lane * latent, latent},
                     {lanes.error.data() + lane * latent, latent}, lanes.lse[lane],
                     lanes.lse_error[lane]);
      }
    }
  }
}

// They belong to no request and see no key.
void judge_padding(JudgeState& state, const StepView& step) {
  const Geometry& g = state.geometry;
  const std::vector<double> zeros(static_cast<std::size_t>(g.latent));
  for (std::int64_t rank = 0; rank < g.ranks; ++rank) {
    for (std::int64_t row = step.real_rows(); row < step.rows(); ++row) {
      for (std::int64_t i = 0; i < g.owned_heads; ++i) {
        compare_lane(state, step, rank, row, i, zeros, zeros,
                     -std::numeric_limits<double>::infinity(), 0);
      }
    }
  }
}

}  // namespace

bool judge_hidden_span(JudgeState& state, const StepView& step) {
  if (state.problem.entry != Entry::core || scale_rounds(state.problem)) return false;
  std::vector<SpanLanes> requests;
  for (std::int64_t slot = 0; slot < step.slots(); ++slot) {
    requests.push_back(step.row_count(slot) == 0 ? SpanLanes{} : reference_of(state, step, slot));
    const std::vector<bool>& credible = requests.back().credible;
    if (std::find(credible.begin(), credible.end(), false) != credible.end()) return false;
  }
  for (std::int64_t slot = 0; slot < step.slots(); ++slot) {
    judge_request(state, step, slot, requests[static_cast<std::size_t>(slot)]);
  }
  judge_padding(state, step);
  return true;
}

}  // namespace helixcheck
