// Stage `exchange`: block p on rank (t, c) is slice c of what rank (t, p) had computed, bit for
// bit.

#include <cstring>

#include "mla/formats.hpp"
#include "verdict/judge_state.hpp"

namespace helixcheck {
namespace {

// One of the two exchanged tensors: values [., R] or statistics [., 1 or 2] per head.
struct Exchanged {
  Tap from, to;
  std::int64_t per_head;
};

// Empty shards may be put into neutral form on the way where the contract leaves them undefined.
bool may_differ(const JudgeState& state, const StepView& step, std::int64_t source,
                std::int64_t row) {
  return state.empty_shard() != EmptyShard::neutral && step.received_visible(source, row) == 0;
}

void judge_blocks(JudgeState& state, const StepView& step, std::int64_t rank, const Exchanged& kind,
                  const TapView& got) {
  const Geometry& g = state.geometry;
  const std::int64_t block = g.owned_heads * kind.per_head;
  for (std::int64_t peer = 0; peer < g.kvp; ++peer) {
    const std::int64_t source = g.rank_of(g.tpa_rank(rank), peer);
    const TapView* sent = step.find(source, kind.from);
    if (sent == nullptr) return state.lack_input(kind.to);
    const Codes sent_rows = rows_of(*sent, block);
    const Codes got_rows = rows_of(got, block, peer * step.rows());
    for (std::int64_t row = 0; row < step.rows(); ++row) {
      const std::byte* want = sent_rows.row(row * g.kvp + g.kvp_rank(rank));
      const std::byte* have = got_rows.row(row);
      Tally& tally = state.ledger.tap(kind.to);
      if (std::memcmp(want, have, static_cast<std::size_t>(block) * size_of(got.dtype)) == 0 ||
          may_differ(state, step, source, row)) {
        tally.count_equal(block);
        continue;
      }
      for (std::int64_t head = 0; head < g.owned_heads; ++head) {
        const std::int64_t offset =
            head * kind.per_head * static_cast<std::int64_t>(size_of(got.dtype));
        tally.compare_codes(got.dtype, have + offset, want + offset, kind.per_head,
                            step.place(row, rank, g.first_owned(rank) + head));
      }
    }
  }
}

}  // namespace

void judge_exchange(JudgeState& state, const StepView& step) {
  const Exchanged values{Tap::partial_o, Tap::exchanged, state.geometry.latent};
  const Exchanged statistics{Tap::lse, Tap::exchanged_lse, state.geometry.lse_values};
  for (std::int64_t rank = 0; rank < state.geometry.ranks; ++rank) {
    for (const Exchanged& kind : {values, statistics}) {
      const TapView* got = step.find(rank, kind.to);
      if (got != nullptr) judge_blocks(state, step, rank, kind, *got);
    }
  }
}

}  // namespace helixcheck
