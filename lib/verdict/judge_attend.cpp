// Stage `attend`: partial results and their statistics, per rank and request, against exact
// attention over the rows that were read back and the queries as stored.

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>

#include "mla/formats.hpp"
#include "mla/stages.hpp"
#include "verdict/bounds.hpp"
#include "verdict/granule.hpp"
#include "verdict/judge_state.hpp"
#include "verdict/span_reference.hpp"

namespace helixcheck {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// One request on one rank.
struct Shard {
  JudgeState& state;
  const StepView& step;
  std::int64_t rank, slot;
  stages::CacheRows keys;
  std::int64_t key_count;
  std::vector<std::int64_t> visible;  // of the request's rows
  std::span<const double> q;          // [rows, Ht, R + P]
  double key_granule = 0;             // 0: not exact
  std::int64_t rows() const { return std::ssize(visible); }
};

const float* statistics(const JudgeState& state, const TapView& lse, std::int64_t lane) {
  return reinterpret_cast<const float*>(lse.data) + lane * state.geometry.lse_values;
}

// A (row, head) without visible keys: o = +0 to the bit, lse = -inf, unless the contract says else.
void judge_empty(JudgeState& state, const StepView& step, std::int64_t rank, std::int64_t row,
                 std::int64_t head) {
  const Geometry& g = state.geometry;
  const EmptyShard rule = state.empty_shard();
  const std::int64_t lane = row * g.rank_heads + head;
  const Place place = step.place(row, rank, g.first_head(rank) + head);
  if (const TapView* o = step.find(rank, Tap::partial_o)) {
    if (rule == EmptyShard::undefined_o) {
      state.ledger.note("values of empty shards are undefined by contract and were not judged");
    } else {
      state.scratch.codes.assign(static_cast<std::size_t>(g.latent) * size_of(g.dtype),
                                 std::byte{0});
      state.ledger.tap(Tap::partial_o)
          .compare_codes(o->dtype, rows_of(*o, g.latent, lane).data, state.scratch.codes.data(),
                         g.latent, place);
    }
  }
  const TapView* lse = step.find(rank, Tap::lse);
  if (lse == nullptr) return;
  const float* shown = statistics(state, *lse, lane);
  if (rule != EmptyShard::neutral && shown[0] == std::numeric_limits<float>::infinity()) {
    state.ledger.tap(Tap::lse).count_equal(1);
    return state.ledger.note("lse = +inf of empty shards was read as -inf, as the contract says");
  }
  const float neutral[2] = {-std::numeric_limits<float>::infinity(), 0.0f};
  state.ledger.tap(Tap::lse).compare_codes(Dtype::fp32, shown, neutral, g.lse_values, place);
}

bounds::AttendFacts facts_of(const Shard& s, const stages::AttendResult& exact, std::int64_t row,
                             std::int64_t lane) {
  const Geometry& g = s.state.geometry;
  bounds::AttendFacts facts;
  facts.head = exact.heads[static_cast<std::size_t>(lane)];
  facts.visible = s.visible[static_cast<std::size_t>(row)];
  facts.width = g.width;
  facts.dtype = g.dtype;
  facts.independent = scores_are_dithered(s.state.problem.data);
  facts.scaled_keys = scale_rounds(s.state.problem);
  if (s.key_granule > 0) {
    const std::span<const double> q =
        s.q.subspan(static_cast<std::size_t>(lane * g.width), static_cast<std::size_t>(g.width));
    const double size = facts.head.score_scale / s.state.inputs.rope().softmax_scale;
    facts.exact_scores = size == 0 || exact_in_fp32(size, granule(q) * s.key_granule);
    const double* sums = exact.sum_abs_v.data() + row * g.latent;
    facts.exact_values = exact_in_fp32(*std::max_element(sums, sums + g.latent), s.key_granule);
  }
  return facts;
}

// One key has all the weight, to the last bit of fp64.
bool is_one_hot(const Shard& s, const stages::AttendHead& head) {
  return s.state.problem.data.family == Family::one_hot && head.inv_n_eff == 1.0;
}

// The hot key's value: bit for bit where it is a code of the dtype. What other keys can add is
// below 2^-50 of the largest element.
double one_hot_bound(const Shard& s, const bounds::AttendFacts& facts, double o) {
  const Dtype dtype = s.state.geometry.dtype;
  const double others = 0x1p-50 * facts.head.max_abs_key;
  if (std::abs(o) <= others) return others;
  const double factor = bounds::one_hot_factor(s.state.contract(), facts);
  const bool code = std::abs(round_to(dtype, o) - o) <= 0x1p-40 * std::abs(o);
  return code && factor < traits(dtype).unit / 2 ? 0 : factor * std::abs(o) + others;
}

void judge_values(const Shard& s, const bounds::AttendFacts& facts,
                  const stages::AttendResult& exact, std::int64_t row, std::int64_t lane,
                  const Codes& got, const Place& place) {
  JudgeState& state = s.state;
  const auto n = static_cast<std::size_t>(state.geometry.latent);
  const std::span<double> bound = sized(state.scratch.bound, state.geometry.latent);
  const std::span<double> value = sized(state.scratch.got, state.geometry.latent);
  const std::span<const double> o =
      std::span(exact.o).subspan(static_cast<std::size_t>(lane) * n, n);
  const double* square = exact.square.data() + static_cast<std::size_t>(lane) * n;
  const double* sum_abs = exact.sum_abs_v.data() + static_cast<std::size_t>(row) * n;
  decode_to(got.dtype, got.data, value);
  if (is_one_hot(s, facts.head)) {
    for (std::size_t j = 0; j < n; ++j) bound[j] = one_hot_bound(s, facts, o[j]);
  } else {
    const bounds::ValueBound rule = bounds::attend_value(state.contract(), facts);
    for (std::size_t j = 0; j < n; ++j) bound[j] = rule(square[j], o[j], sum_abs[j]);
  }
  state.ledger.tap(Tap::partial_o).compare(got.dtype, value, o, bound, place);
}

void judge_shard(Shard& s) {
  JudgeState& state = s.state;
  const Geometry& g = state.geometry;
  if (state.problem.data.family != Family::uniform) {
    s.key_granule = granule(s.keys, s.key_count, g.width);
    if (s.key_granule == kInfinity) s.key_granule = 1;  // all keys are 0
  }
  const stages::AttendResult exact =
      attend_on(state.accelerator, s.q, s.keys, s.visible, g.rank_heads, g.latent, g.rope,
                state.inputs.rope().softmax_scale);
  const TapView *o = s.step.find(s.rank, Tap::partial_o), *lse = s.step.find(s.rank, Tap::lse);
  for (std::int64_t row = 0; row < s.rows(); ++row) {
    const std::int64_t step_row = s.step.first_row(s.slot) + row;
    for (std::int64_t head = 0; head < g.rank_heads; ++head) {
      if (s.visible[static_cast<std::size_t>(row)] == 0) {
        judge_empty(state, s.step, s.rank, step_row, head);
        continue;
      }
      const std::int64_t lane = row * g.rank_heads + head;
      const std::int64_t tap_lane = step_row * g.rank_heads + head;
      const bounds::AttendFacts facts = facts_of(s, exact, row, lane);
      const Place place = s.step.place(step_row, s.rank, g.first_head(s.rank) + head);
      if (o != nullptr) {
        judge_values(s, facts, exact, row, lane, rows_of(*o, g.latent, tap_lane), place);
      }
      if (lse != nullptr) {
        compare_lse(state, state.ledger.tap(Tap::lse), statistics(state, *lse, tap_lane),
                    facts.head.lse, bounds::attend_lse(state.contract(), facts), place);
      }
    }
  }
}

// Queries of the request's rows for this rank's heads, widened to scratch.input: the tap where they
// are computed, the case's own where they are given.
std::span<const double> load_queries(JudgeState& state, const StepView& step, std::int64_t rank,
                                     std::int64_t slot) {
  const Geometry& g = state.geometry;
  const std::int64_t rows = step.row_count(slot), first = step.first_row(slot);
  const std::int64_t per_row = g.rank_heads * g.width;
  if (state.problem.entry == Entry::layer) {
    const TapView* q = step.find(rank, Tap::q);
    widen_rows(rows_of(*q, per_row, first), rows, per_row, state.scratch.input);
  } else {
    const std::span<double> input = sized(state.scratch.input, rows * per_row);
    for (std::int64_t row = 0; row < rows; ++row) {
      const double* from =
          state.scratch.query.data() + ((first + row) * g.heads + g.first_head(rank)) * g.width;
      std::copy(from, from + per_row, input.begin() + row * per_row);
    }
  }
  return std::span(state.scratch.input).first(static_cast<std::size_t>(rows * per_row));
}

void draw_queries(JudgeState& state, const StepView& step) {
  const std::int64_t per_row = state.geometry.heads * state.geometry.width;
  const std::int64_t row_bytes = per_row * static_cast<std::int64_t>(size_of(state.geometry.dtype));
  std::vector<std::byte>& codes = state.scratch.codes;
  codes.resize(static_cast<std::size_t>(step.real_rows() * row_bytes));
  for (std::int64_t row = 0; row < step.real_rows(); ++row) {
    state.inputs.query(step.taps().rows[static_cast<std::size_t>(row)],
                       codes.data() + row * row_bytes);
  }
  widen_rows({state.geometry.dtype, codes.data(), per_row}, step.real_rows(), per_row,
             state.scratch.query);
}

void judge_rank(JudgeState& state, const StepView& step, std::int64_t rank,
                const TapView& cache_rows) {
  const Geometry& g = state.geometry;
  const std::byte* keys = cache_rows.data;
  for (std::int64_t slot = 0; slot < step.slots(); ++slot) {
    const std::int64_t key_count = step.local_len(rank, slot);
    Shard shard{state,     step, rank, slot, {g.kv_dtype, state.problem.kv_scale, keys},
                key_count, {},   {}};
    keys += key_count * g.width * static_cast<std::int64_t>(size_of(g.kv_dtype));
    bool possible = true;
    for (std::int64_t row = 0; row < step.row_count(slot); ++row) {
      const std::int64_t seen = step.received_visible(rank, step.first_row(slot) + row);
      possible = possible && seen >= 0 && seen <= key_count;
      shard.visible.push_back(seen);
    }
    if (!possible || shard.visible.empty()) continue;  // an impossible plan has failed already
    shard.q = load_queries(state, step, rank, slot);
    judge_shard(shard);
  }
  for (std::int64_t row = step.real_rows(); row < step.rows(); ++row) {
    for (std::int64_t head = 0; head < g.rank_heads; ++head) {
      judge_empty(state, step, rank, row, head);
    }
  }
}

}  // namespace

void judge_attend(JudgeState& state, const StepView& step) {
  const bool layer = state.problem.entry == Entry::layer;
  if (!layer) draw_queries(state, step);
  for (std::int64_t rank = 0; rank < state.geometry.ranks; ++rank) {
    const bool shown =
        step.find(rank, Tap::partial_o) != nullptr || step.find(rank, Tap::lse) != nullptr;
    if (!shown) continue;
    const TapView* cache_rows = step.find(rank, Tap::cache_rows);
    if (cache_rows == nullptr || (layer && step.find(rank, Tap::q) == nullptr)) {
      state.lack_input(step.find(rank, Tap::partial_o) != nullptr ? Tap::partial_o : Tap::lse);
      continue;
    }
    judge_rank(state, step, rank, *cache_rows);
  }
}

}  // namespace helixcheck
