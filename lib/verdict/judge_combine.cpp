// Stage `combine`: the softmax-weighted merge of the partials a rank received, value and LSE. Where
// the exchange is hidden inside a span, what it must have delivered is taken from the senders.

#include <algorithm>
#include <cmath>
#include <limits>

#include "mla/formats.hpp"
#include "mla/stages.hpp"
#include "verdict/bounds.hpp"
#include "verdict/judge_state.hpp"
#include "verdict/lse_form.hpp"

namespace helixcheck {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Where the partials of one rank lie: block p holds lane (row, head) at offset
// row * row_stride + (first_head + head), in units of heads.
struct Received {
  std::vector<const TapView*> o, lse;  // by source; the same view for all where exchanged
  std::vector<std::int64_t> first;     // by source: head offset of row 0
  std::int64_t row_stride = 0;         // heads
};

// Empty if neither the exchanged taps nor those of the senders are there.
Received find_received(const JudgeState& state, const StepView& step, std::int64_t rank) {
  const Geometry& g = state.geometry;
  Received received;
  const TapView *o = step.find(rank, Tap::exchanged), *lse = step.find(rank, Tap::exchanged_lse);
  const bool exchanged = o != nullptr && lse != nullptr;
  const std::int64_t parts = exchanged ? o->shape[0] : g.kvp;
  received.row_stride = exchanged ? g.owned_heads : g.rank_heads;
  for (std::int64_t part = 0; part < parts; ++part) {
    if (!exchanged) {
      if (state.problem.entry == Entry::merge) return {};
      const std::int64_t source = g.rank_of(g.tpa_rank(rank), part);
      o = step.find(source, Tap::partial_o);
      lse = step.find(source, Tap::lse);
      if (o == nullptr || lse == nullptr) return {};
    }
    received.o.push_back(o);
    received.lse.push_back(lse);
    received.first.push_back(exchanged ? part * step.rows() * g.owned_heads
                                       : g.kvp_rank(rank) * g.owned_heads);
  }
  return received;
}

// Partials of one (row, head): values to scratch.input [parts, R], LSEs to scratch.lse. False if a
// statistic is NaN or +inf: then no weight is defined, and neither is the result.
bool load_lane(JudgeState& state, const Received& from, std::int64_t row, std::int64_t head,
               bounds::MergeFacts& facts) {
  const Geometry& g = state.geometry;
  const std::int64_t parts = std::ssize(from.o);
  const std::span<double> x = sized(state.scratch.input, parts * g.latent);
  const std::span<double> lse = sized(state.scratch.lse, parts);
  facts.parts = parts;
  facts.form = state.scenario.layout.lse_form;
  facts.dtype = g.dtype;
  double top = -kInfinity, bottom = kInfinity;
  for (std::size_t p = 0; p < lse.size(); ++p) {
    const std::int64_t lane = from.first[p] + row * from.row_stride + head;
    const float* statistics =
        reinterpret_cast<const float*>(from.lse[p]->data) + lane * g.lse_values;
    lse[p] = natural_lse(facts.form, statistics);
    if (state.empty_shard() != EmptyShard::neutral && statistics[0] == kInfinity) {
      lse[p] = -kInfinity;
    }
    if (std::isnan(lse[p]) || lse[p] == kInfinity) return false;
    const Codes values = rows_of(*from.o[p], g.latent, lane);
    decode_to(
        values.dtype, values.data,
        x.subspan(p * static_cast<std::size_t>(g.latent), static_cast<std::size_t>(g.latent)));
    if (lse[p] == -kInfinity) continue;
    const double gauge = facts.form == LseForm::max_sum ? statistics[0] : lse[p];
    top = std::max(top, gauge);
    bottom = std::min(bottom, gauge);
    facts.max_size = std::max({facts.max_size, std::abs(gauge), std::abs(lse[p])});
  }
  facts.gap = top >= bottom ? top - bottom : 0;
  return true;
}

struct Shown {
  const TapView *combined, *lse;
};

void judge_lane(JudgeState& state, const StepView& step, std::int64_t rank, const Received& from,
                std::int64_t row, std::int64_t head, const Shown& shown) {
  const Geometry& g = state.geometry;
  bounds::MergeFacts facts;
  const bool defined = load_lane(state, from, row, head, facts);
  const std::span<double> want = sized(state.scratch.want, g.latent);
  const std::span<double> magnitude = sized(state.scratch.magnitude, g.latent);
  const std::span<double> spread = sized(state.scratch.spread, g.latent);
  const std::span<double> lse = sized(state.scratch.lse, facts.parts);
  if (defined) {
    facts.lse = stages::merge(sized(state.scratch.input, facts.parts * g.latent), lse, g.latent,
                              want, magnitude, spread);
  } else {
    facts.lse = std::nan("");
    for (const std::span<double> values : {want, magnitude, spread}) {
      std::fill(values.begin(), values.end(), facts.lse);
    }
  }
  const bool empty = facts.lse == -kInfinity || !defined;
  const bounds::MergeBound rule =
      empty ? bounds::MergeBound{} : bounds::merge(state.contract(), facts);
  const std::int64_t lane = row * g.owned_heads + head;
  const Place place = step.place(row, rank, g.first_owned(rank) + head);
  if (shown.combined != nullptr) {
    const std::span<double> bound = sized(state.scratch.bound, g.latent);
    const std::span<double> got = sized(state.scratch.got, g.latent);
    for (std::size_t j = 0; j < bound.size(); ++j) {
      bound[j] = rule.magnitude * magnitude[j] + rule.spread * spread[j];
      if (magnitude[j] > 0) bound[j] += rule.underflow;
    }
    decode_to(shown.combined->dtype, rows_of(*shown.combined, g.latent, lane).data, got);
    state.ledger.tap(Tap::combined).compare(shown.combined->dtype, got, want, bound, place);
  }
  if (shown.lse != nullptr) {
    const float got = reinterpret_cast<const float*>(shown.lse->data)[lane];
    state.ledger.tap(Tap::combined_lse).compare(Dtype::fp32, got, facts.lse, rule.lse, place);
  }
}

}  // namespace

void judge_combine(JudgeState& state, const StepView& step) {
  const Geometry& g = state.geometry;
  for (std::int64_t rank = 0; rank < g.ranks; ++rank) {
    const Shown shown{step.find(rank, Tap::combined), step.find(rank, Tap::combined_lse)};
    if (shown.combined == nullptr && shown.lse == nullptr) continue;
    const Received from = find_received(state, step, rank);
    if (from.o.empty()) {
      state.lack_input(shown.combined != nullptr ? Tap::combined : Tap::combined_lse);
      continue;
    }
    for (std::int64_t row = 0; row < step.rows(); ++row) {
      for (std::int64_t head = 0; head < g.owned_heads; ++head) {
        judge_lane(state, step, rank, from, row, head, shown);
      }
    }
  }
}

}  // namespace helixcheck
