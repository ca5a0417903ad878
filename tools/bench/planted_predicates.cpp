// Sets A, B and C are eighteen predicates of an earlier comparison of shrinkers, translated: its
// kv_heads are heads per rank here, its group is the most query tokens of a request and step, its
// head_dim the kv_lora_rank, its ranks the KVP ranks, its causal flag a decode owner other than
// `last`, its window padding rows. A statement about ctx is made about any one request, and is
// never true at entry merge. Set R are conditions under which real engines failed; each is named
// after the failure. Set H was written after the moves and is not to be used in changing them.

#include "planted_predicates.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <numeric>

#include "scenario/history.hpp"
#include "scenario/ownership.hpp"

namespace helixcheck {
namespace {

template <typename Says>
bool any_ctx(const Scenario& s, const Says& says) {
  if (s.problem.entry == Entry::merge) return false;  // partials have no context
  return std::any_of(s.problem.ctx_len.begin(), s.problem.ctx_len.end(), says);
}
std::int64_t page(const Scenario& s) {
  return s.layout.kv_cache_tokens_per_block;
}
std::int64_t heads(const Scenario& s) {
  const bool merge = s.problem.entry == Entry::merge;  // partials are not split over ranks
  return merge ? s.problem.num_heads : s.problem.num_heads / s.layout.ranks();
}
bool window(const Scenario& s) {
  return s.layout.padding_rows > 0;
}
bool causal(const Scenario& s) {
  return s.layout.decode_owner != DecodeOwner::last;
}

std::int64_t group(const Scenario& s) {
  if (s.script.empty()) return s.problem.predicted_tokens_per_seq;
  std::int64_t most = 1;
  for (const Step& step : s.script) {
    if (step.kind != StepKind::decode) continue;
    for (const std::int64_t tokens : step.tokens) most = std::max(most, tokens);
  }
  return most;
}

// One use of a request by one step, as `visit` gets it.
struct Use {
  std::int64_t step = 0, request = 0;
  StepKind kind = StepKind::join;
  std::int64_t before = 0, after = 0;  // tokens the request holds
  std::int64_t decodes = 0;            // steps that decoded it, this one included
};

template <typename Visit>
void visit_uses(const Scenario& s, const Visit& visit) {
  History history(s);
  std::map<std::int64_t, std::int64_t> decodes;
  std::int64_t number = 0;
  for (const Step& step : expand_script(s)) {
    std::map<std::int64_t, std::int64_t> before;
    for (const std::int64_t id : step.requests) {
      before[id] = history.live(id) ? history.request(id).tokens.size() : 0;
    }
    history.apply(step);
    for (const std::int64_t id : step.requests) {
      const std::int64_t after = history.live(id) ? history.request(id).tokens.size() : 0;
      if (step.kind == StepKind::decode) ++decodes[id];
      visit(Use{number, id, step.kind, before[id], after, decodes[id]});
    }
    ++number;
  }
}

template <typename Says>
bool any_use(const Scenario& s, const Says& says) {
  bool found = false;
  visit_uses(s, [&](const Use& use) { found = found || says(use); });
  return found;
}

bool overflows(const Scenario& s) {
  if (s.problem.entry == Entry::merge) return false;
  const std::int64_t longest =
      *std::max_element(s.problem.ctx_len.begin(), s.problem.ctx_len.end());
  return s.problem.batch() * longest * s.problem.num_heads * s.problem.kv_lora_rank > 1 << 26;
}

std::int64_t owned_by_last(const Scenario& s, std::int64_t ctx) {
  return owned_count(s.layout, s.layout.kvp - 1, ctx, ctx);
}

bool last_shard_ragged(const Scenario& s) {
  return s.layout.kvp > 1 &&
         any_ctx(s, [&](std::int64_t ctx) { return owned_by_last(s, ctx) % page(s) != 0; });
}

bool last_shard_empty(const Scenario& s) {
  return s.layout.kvp > 1 &&
         any_ctx(s, [&](std::int64_t ctx) { return ctx > 0 && owned_by_last(s, ctx) == 0; });
}

bool aligned_prompt(const Scenario& s) {
  return s.layout.kvp > 1 && any_ctx(s, [&](std::int64_t ctx) {
           return ctx > 0 && ctx % (page(s) * s.layout.kvp) == 0;
         });
}

bool interleave_ignored(const Scenario& s) {
  const std::int64_t run = s.layout.interleave;
  return s.layout.ownership == Ownership::interleaved && run > 1 && s.layout.kvp > 1 &&
         any_ctx(s, [&](std::int64_t ctx) { return ctx % (run * s.layout.kvp) > run; });
}

bool ledger_behind_at_page_roll(const Scenario& s) {
  return page(s) > 1 && any_use(s, [&](const Use& use) {
           return use.kind == StepKind::decode && use.decodes >= 2 && use.after > use.before &&
                  use.before % page(s) == 0;
         });
}

bool step_straddles_page(const Scenario& s) {
  return page(s) > 1 && any_use(s, [&](const Use& use) {
           return use.kind == StepKind::decode && use.after >= use.before + 2 &&
                  use.before / page(s) != (use.after - 1) / page(s);
         });
}

bool fork_then_reject_across_page(const Scenario& s) {
  bool forked = false;
  return page(s) > 1 && any_use(s, [&](const Use& use) {
           forked = forked || use.kind == StepKind::fork;
           return forked && use.kind == StepKind::reject && use.after < use.before &&
                  use.after / page(s) != use.before / page(s);
         });
}

bool both_write_after_fork(const Scenario& s) {
  std::int64_t parent = -1, child = s.problem.batch(), forked_at = 0;
  bool parent_wrote = false, child_wrote = false;
  visit_uses(s, [&](const Use& use) {
    if (use.kind == StepKind::fork && parent < 0) {
      parent = use.request;
      forked_at = use.before;
    }
    if (use.kind != StepKind::decode || parent < 0 || use.after == use.before) return;
    parent_wrote = parent_wrote || use.request == parent;
    child_wrote = child_wrote || use.request == child;
  });
  return parent_wrote && child_wrote && forked_at % page(s) != 0;
}

bool pages_reused(const Scenario& s) {
  bool finished = false;
  return any_use(s, [&](const Use& use) {
    finished = finished || (use.kind == StepKind::finish && use.before >= page(s));
    return finished && use.kind == StepKind::join && use.after >= page(s);
  });
}

bool rope_table_too_short(const Scenario& s) {
  return any_use(s, [&](const Use& use) { return s.problem.position_base + use.after > 131072; });
}

bool stale_metadata(const Scenario& s) {
  std::map<std::int64_t, std::int64_t> rows;  // by step
  visit_uses(s, [&](const Use& use) {
    if (use.kind == StepKind::decode) rows[use.step] += use.after - use.before;
  });
  return std::adjacent_find(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
           return a.second != b.second;
         }) != rows.end();
}

bool page_offset_overflows(const Scenario& s) {
  const Problem& p = s.problem;
  const std::int64_t row = p.kv_lora_rank + p.qk_rope_head_dim + s.layout.row_gap;
  return s.layout.page_id_base * page(s) * row >= std::int64_t{1} << 31;
}

bool wrong_mscale(const Scenario& s) {
  const auto& scaling = s.problem.rope_scaling;
  return s.problem.entry != Entry::merge && scaling && scaling->factor > 1 &&
         scaling->mscale != scaling->mscale_all_dim;
}

constexpr std::array kPlanted{
    Planted{"ranks > 1 && ctx % page", "A",
            [](const Scenario& s) {
              return s.layout.kvp > 1 && any_ctx(s, [&](auto c) { return c % page(s) != 0; });
            }},
    Planted{"group >= 3 && heads x group >= 12", "A",
            [](const Scenario& s) { return group(s) >= 3 && heads(s) * group(s) >= 12; }},
    Planted{"product > 2^26", "A", overflows},
    Planted{"ctx % ranks == 1 && window", "A",
            [](const Scenario& s) {
              return window(s) && any_ctx(s, [&](auto c) { return c % s.layout.kvp == 1; });
            }},
    Planted{"ctx % (2 page) == 0, page > 1", "A",
            [](const Scenario& s) {
              return page(s) > 1 &&
                     any_ctx(s, [&](auto c) { return c > 0 && c % (2 * page(s)) == 0; });
            }},
    Planted{"batch >= 4 && abs(batch - heads) <= 1", "A",
            [](const Scenario& s) {
              return s.problem.batch() >= 4 && std::abs(s.problem.batch() - heads(s)) <= 1;
            }},
    Planted{"ranks >= 4 && ctx % 128 == 1", "B",
            [](const Scenario& s) {
              return s.layout.kvp >= 4 && any_ctx(s, [](auto c) { return c % 128 == 1; });
            }},
    Planted{"last shard, ragged page", "B", last_shard_ragged},
    Planted{"batch x heads % 3 == 0 && ctx > 500", "B",
            [](const Scenario& s) {
              return s.problem.batch() * heads(s) % 3 == 0 &&
                     any_ctx(s, [](auto c) { return c > 500; });
            }},
    Planted{"group == 8 && rank == 64 && ctx > 2 page", "B",
            [](const Scenario& s) {
              return group(s) == 8 && s.problem.kv_lora_rank == 64 &&
                     any_ctx(s, [&](auto c) { return c > 2 * page(s); });
            }},
    Planted{"ctx % page == page - 1", "B",
            [](const Scenario& s) {
              return page(s) > 1 && any_ctx(s, [&](auto c) { return c % page(s) == page(s) - 1; });
            }},
    Planted{"uneven split over > 2 ranks, causal", "B",
            [](const Scenario& s) {
              return s.layout.kvp > 2 && causal(s) &&
                     any_ctx(s, [&](auto c) { return c % s.layout.kvp != 0; });
            }},
    Planted{"ctx % 48 == 7", "C",
            [](const Scenario& s) { return any_ctx(s, [](auto c) { return c % 48 == 7; }); }},
    Planted{"ctx % 192 >= 190", "C",
            [](const Scenario& s) { return any_ctx(s, [](auto c) { return c % 192 >= 190; }); }},
    Planted{"batch % 7 == 3", "C", [](const Scenario& s) { return s.problem.batch() % 7 == 3; }},
    Planted{"heads x group % 5 == 0 && ctx > 1000", "C",
            [](const Scenario& s) {
              return heads(s) * group(s) % 5 == 0 && any_ctx(s, [](auto c) { return c > 1000; });
            }},
    Planted{"(ctx + batch) % 64 == 0", "C",
            [](const Scenario& s) {
              return any_ctx(s, [&](auto c) { return (c + s.problem.batch()) % 64 == 0; });
            }},
    Planted{"ranks == 4 && ctx % 12 == 5", "C",
            [](const Scenario& s) {
              return s.layout.kvp == 4 && any_ctx(s, [](auto c) { return c % 12 == 5; });
            }},
    Planted{"aligned prompt leaves a rank empty", "R: helix-aligned-prompt-empty-last-rank",
            aligned_prompt},
    Planted{"last shard empty", "R: empty-shard-lse-zero", last_shard_empty},
    Planted{
        "batch == heads, both > 1", "R: lse-transposed-heads-tokens",
        [](const Scenario& s) { return s.problem.batch() > 1 && s.problem.batch() == heads(s); }},
    Planted{"run > 1, ctx past the first run", "R: interleave-ignored-in-gather",
            interleave_ignored},
    Planted{"second decode begins a page", "R: helix-ledger-one-behind",
            ledger_behind_at_page_roll},
    Planted{"fork, then reject across a page", "R: shared prefix page kept by a fork",
            fork_then_reject_across_page},
    Planted{"both write after a fork inside a page", "R: copy on write missed",
            both_write_after_fork},
    Planted{"a step straddles a page", "R: helix-local-len-three-copies", step_straddles_page},
    Planted{"fp8 cache and an empty shard", "R: fp8-empty-shard",
            [](const Scenario& s) {
              return s.problem.kv_cache_dtype == Dtype::fp8_e4m3 && last_shard_empty(s);
            }},
    Planted{"position beyond 131072", "R: rope-table-shorter-than-run", rope_table_too_short},
    Planted{"pages of a finished request reused", "R: stale pages", pages_reused},
    Planted{"two tokens a step, owner moves", "R: mtp-advance-every-rank",
            [](const Scenario& s) { return group(s) >= 2 && s.layout.kvp >= 2 && causal(s); }},
    Planted{"mscale != mscale_all_dim", "R: softmax-scale-mscale-vs-all-dim", wrong_mscale},
    Planted{"TPA and KVP both > 1, with projections", "R: helix-tp-cp-rank-order",
            [](const Scenario& s) {
              return s.problem.entry == Entry::layer && s.layout.tpa > 1 && s.layout.kvp > 1;
            }},
    Planted{"rows differ between two steps", "R: graph-stale-tile-metadata", stale_metadata},
    Planted{"page offset beyond 2^31", "R: page-offset-int32", page_offset_overflows},
    Planted{"one key beyond a tile of 256", "R: split-K access at 257 keys",
            [](const Scenario& s) {
              return any_ctx(s, [](auto c) { return c > 256 && c % 256 == 1; });
            }},
    Planted{"ranks == 5 && ctx % 7 == 3", "H",
            [](const Scenario& s) {
              return s.layout.kvp == 5 && any_ctx(s, [](auto c) { return c % 7 == 3; });
            }},
    Planted{"(ctx + position base) % 100 == 99", "H",
            [](const Scenario& s) {
              return any_ctx(s, [&](auto c) { return (c + s.problem.position_base) % 100 == 99; });
            }},
    Planted{"all prompts together > 5000", "H",
            [](const Scenario& s) {
              return s.problem.entry != Entry::merge &&
                     std::accumulate(s.problem.ctx_len.begin(), s.problem.ctx_len.end(),
                                     std::int64_t{0}) > 5000;
            }},
    Planted{"run x ranks > page > 1", "H",
            [](const Scenario& s) {
              return page(s) > 1 && s.layout.interleave * s.layout.kvp > page(s);
            }},
    Planted{"three drafts rejected, sharded", "H",
            [](const Scenario& s) {
              return s.layout.kvp >= 2 && any_use(s, [](const Use& use) {
                       return use.kind == StepKind::reject && use.before - use.after >= 3;
                     });
            }},
    Planted{"page gap, second page, fixed order", "H",
            [](const Scenario& s) {
              return s.layout.page_gap > 0 && s.layout.page_order != PageOrder::shuffled &&
                     any_ctx(s, [&](auto c) { return c > page(s); });
            }},
    Planted{"first prompt shorter than second, even batch", "H",
            [](const Scenario& s) {
              const auto& ctx = s.problem.ctx_len;
              return s.problem.entry != Entry::merge && ctx.size() % 2 == 0 && ctx[0] < ctx[1];
            }},
    Planted{"rows of a rank % 24 == 5", "H", [](const Scenario& s) {
              return s.problem.entry != Entry::merge &&
                     s.problem.batch() * heads(s) * group(s) % 24 == 5;
            }}};

}  // namespace

std::span<const Planted> planted_predicates() {
  return kPlanted;
}

}  // namespace helixcheck
