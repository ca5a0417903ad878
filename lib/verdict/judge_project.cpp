// Stage `project`: each rounded store against the one before it, from hidden states to `q` and
// `latent`. Ranks that show the same bits for the same inputs are judged once.

#include <cmath>

#include "mla/formats.hpp"
#include "mla/stages.hpp"
#include "verdict/bounds.hpp"
#include "verdict/judge_state.hpp"

namespace helixcheck {
namespace {

struct RankStep {
  JudgeState& state;
  const StepView& step;
  std::int64_t rank;
  std::vector<Place> places;  // of the real rows
  std::vector<std::int64_t> positions;

  std::int64_t rows() const { return step.real_rows(); }
  const TapView* find(Tap tap) const { return step.find(rank, tap); }
};

// Whether an earlier rank of the group [first, rank) has the same bits in all of `taps` (inputs and
// outputs of one computation); then the outcome is the same too.
bool has_twin(const RankStep& r, std::int64_t first, std::initializer_list<Tap> taps) {
  for (std::int64_t other = first; other < r.rank; ++other) {
    bool same = true;
    for (const Tap tap : taps) same = same && same_bits(r.find(tap), r.step.find(other, tap));
    if (same) return true;
  }
  return false;
}

void judge_q_c(RankStep& r, const TapView& q_a, const TapView& q_c) {
  JudgeState& s = r.state;
  const std::int64_t n = s.geometry.q_lora;
  const std::span<double> x = sized(s.scratch.input, n), want = sized(s.scratch.want, n);
  const std::span<double> bound = sized(s.scratch.bound, n), got = sized(s.scratch.got, n);
  const double factor = bounds::rms_norm_factor(s.contract(), s.geometry.dtype, n);
  for (std::int64_t row = 0; row < r.rows(); ++row) {
    decode_to(q_a.dtype, rows_of(q_a, n).row(row), x);
    decode_to(q_c.dtype, rows_of(q_c, n).row(row), got);
    stages::rms_norm(x, s.weights.q_a_norm(), s.problem.rms_norm_eps, want);
    for (std::size_t i = 0; i < bound.size(); ++i) {
      bound[i] = factor * std::abs(want[i]) + (want[i] != 0 ? bounds::underflow(2) : 0);
    }
    s.ledger.tap(Tap::q_c).compare(q_c.dtype, got, want, bound,
                                   r.places[static_cast<std::size_t>(row)]);
  }
}

// q of one head: the latent part is k_b^T q_nope, the rope part is rotated.
void judge_q_head(RankStep& r, const TapView& q_nope, const TapView& q, std::int64_t local_head) {
  JudgeState& s = r.state;
  const Geometry& g = s.geometry;
  const std::int64_t head = g.first_head(r.rank) + local_head;
  const std::int64_t in_width = g.nope + g.rope;
  const Codes in{q_nope.dtype, rows_of(q_nope, in_width, local_head).data, g.rank_heads * in_width};
  const Codes out{q.dtype, rows_of(q, g.width, local_head).data, g.rank_heads * g.width};
  widen_rows(in, r.rows(), g.nope, s.scratch.input);
  judge_linear(s, s.ledger.tap(Tap::q), s.weights.k_absorb(head), s.scratch.input, out, r.places,
               {head, g.latent});
  const std::span<double> x = sized(s.scratch.input, g.rope), want = sized(s.scratch.want, g.rope);
  const std::span<double> bound = sized(s.scratch.bound, g.rope);
  const std::span<double> got = sized(s.scratch.got, g.rope);
  const auto in_bytes = g.nope * static_cast<std::int64_t>(size_of(in.dtype));
  const auto out_bytes = g.latent * static_cast<std::int64_t>(size_of(out.dtype));
  for (std::int64_t row = 0; row < r.rows(); ++row) {
    decode_to(in.dtype, in.row(row) + in_bytes, x);
    decode_to(out.dtype, out.row(row) + out_bytes, got);
    rotate_bounded(s, r.positions[static_cast<std::size_t>(row)], x, want, bound);
    Place place = r.places[static_cast<std::size_t>(row)];
    place.head = head;
    place.element = g.latent;
    s.ledger.tap(Tap::q).compare(out.dtype, got, want, bound, place);
  }
}

// q_a and q_c, the same on every rank.
void judge_q_lora(RankStep& r) {
  JudgeState& s = r.state;
  const Geometry& g = s.geometry;
  const TapView *q_a = r.find(Tap::q_a), *q_c = r.find(Tap::q_c);
  if (has_twin(r, 0, {Tap::q_a, Tap::q_c})) {
    if (q_a != nullptr) s.ledger.tap(Tap::q_a).count_equal(r.rows() * g.q_lora);
    if (q_a != nullptr && q_c != nullptr) s.ledger.tap(Tap::q_c).count_equal(r.rows() * g.q_lora);
    return;
  }
  if (q_a != nullptr) {
    judge_linear(s, s.ledger.tap(Tap::q_a), s.weights.q_a(), s.scratch.hidden,
                 rows_of(*q_a, g.q_lora), r.places, {});
  }
  if (q_c == nullptr) return;
  if (q_a == nullptr) return s.lack_input(Tap::q_c);
  judge_q_c(r, *q_a, *q_c);
}

void judge_q_nope(RankStep& r) {
  JudgeState& s = r.state;
  const Geometry& g = s.geometry;
  const TapView *q_c = r.find(Tap::q_c), *q_nope = r.find(Tap::q_nope);
  if (q_nope == nullptr) return;
  const bool direct = g.q_lora == 0;
  if (!direct && q_c == nullptr) return s.lack_input(Tap::q_nope);
  const std::int64_t group = g.rank_of(g.tpa_rank(r.rank), 0), per_head = g.nope + g.rope;
  if (has_twin(r, group, {Tap::q_c, Tap::q_nope})) {
    s.ledger.tap(Tap::q_nope).count_equal(r.rows() * g.rank_heads * per_head);
    return;
  }
  if (!direct) widen_rows(rows_of(*q_c, g.q_lora), r.rows(), g.q_lora, s.scratch.input);
  judge_linear(s, s.ledger.tap(Tap::q_nope), s.weights.q_b(g.tpa_rank(r.rank)),
               direct ? s.scratch.hidden : s.scratch.input,
               rows_of(*q_nope, g.rank_heads * per_head), r.places,
               {g.first_head(r.rank), per_head});
}

void judge_q(RankStep& r) {
  JudgeState& s = r.state;
  const Geometry& g = s.geometry;
  const TapView *q_nope = r.find(Tap::q_nope), *q = r.find(Tap::q);
  if (q == nullptr) return;
  if (q_nope == nullptr) return s.lack_input(Tap::q);
  const std::int64_t group = g.rank_of(g.tpa_rank(r.rank), 0);
  if (has_twin(r, group, {Tap::q_nope, Tap::position, Tap::q})) {
    s.ledger.tap(Tap::q).count_equal(r.rows() * g.rank_heads * g.width);
    return;
  }
  for (std::int64_t head = 0; head < g.rank_heads; ++head) judge_q_head(r, *q_nope, *q, head);
}

void judge_kv(RankStep& r) {
  JudgeState& s = r.state;
  const Geometry& g = s.geometry;
  const TapView *kv_c = r.find(Tap::kv_c), *latent = r.find(Tap::latent);
  if (has_twin(r, 0, {Tap::kv_c, Tap::position, Tap::latent})) {
    if (kv_c != nullptr) s.ledger.tap(Tap::kv_c).count_equal(r.rows() * g.width);
    if (kv_c != nullptr && latent != nullptr) {
      s.ledger.tap(Tap::latent).count_equal(r.rows() * g.width);
    }
    return;
  }
  if (kv_c != nullptr) {
    judge_linear(s, s.ledger.tap(Tap::kv_c), s.weights.kv_a(), s.scratch.hidden,
                 rows_of(*kv_c, g.width), r.places, {});
  }
  if (latent == nullptr) return;
  if (kv_c == nullptr) return s.lack_input(Tap::latent);
  judge_latent(s, s.ledger.tap(Tap::latent), rows_of(*kv_c, g.width), rows_of(*latent, g.width),
               r.positions, r.places);
}

}  // namespace

void judge_project(JudgeState& state, const StepView& step) {
  if (step.real_rows() == 0) return;
  load_hidden(state, step.taps().rows);
  for (std::int64_t rank = 0; rank < state.geometry.ranks; ++rank) {
    RankStep r{state, step, rank, {}, {}};
    for (std::int64_t row = 0; row < step.real_rows(); ++row) {
      r.places.push_back(step.place(row, rank, -1));
      r.positions.push_back(step.received_position(rank, row));
    }
    if (state.geometry.q_lora > 0) judge_q_lora(r);
    judge_q_nope(r);
    judge_q(r);
    judge_kv(r);
  }
}

}  // namespace helixcheck
