// Faults of which rank holds which token.

#include <algorithm>
#include <cstdio>

#include "subject/mutants/classes.hpp"
#include "subject/mutants/plan.hpp"
#include "subject/mutants/planted.hpp"

namespace helixcheck::planted {
namespace {

struct InterleaveOfOne : PlanDecisions {
  static std::int64_t held(std::int64_t tokens, const hxc_request& request, hxc_rank place) {
    place.interleave = 1;
    return local_count(tokens, request.prompt_len, place);
  }
};
// Runs are dealt in pages of the kernel, not in those of the scheduler.
struct RunOfAPage : PlanDecisions {
  static std::int64_t held(std::int64_t tokens, const hxc_request& request, hxc_rank place) {
    if (place.ownership == HXC_INTERLEAVED) {
      place.interleave = std::min(place.interleave, place.tokens_per_block);
    }
    return local_count(tokens, request.prompt_len, place);
  }
};
// (step - 1) / run before the first step: the token goes to the last rank.
struct FirstOwnerWraps : PlanDecisions {
  static std::int64_t held(std::int64_t tokens, const hxc_request& request, const hxc_rank& place) {
    const std::int64_t generated = tokens - request.prompt_len;
    if (generated <= 0 || place.decode_owner != HXC_OWNER_RESTARTED) {
      return PlanDecisions::held(tokens, request, place);
    }
    const std::int64_t first = place.kvp_rank == place.kvp - 1 ? 1 : 0;
    return PlanDecisions::held(request.prompt_len, request, place) + first +
           dealt(generated - 1, place);
  }
};
// The ledger lags by one token from the second step on, so that another rank writes where the owner
// changes.
struct LedgerBehind : PlanDecisions {
  static bool writes(const PlannedRow& row) {
    const hxc_request& request = row.asked();
    if (request.cached <= request.prompt_len || row.index == 0) return PlanDecisions::writes(row);
    const hxc_rank& place = *row.step.place;
    return held(row.index, request, place) > held(row.index - 1, request, place);
  }
};
std::int64_t prompt_units(std::int64_t prompt_len, const hxc_rank& place) {
  return (prompt_len + place.interleave - 1) / place.interleave;
}
// Of those that are no prompt's.
std::int64_t generated(std::int64_t tokens, const hxc_request& request, const hxc_rank& place) {
  const std::int64_t prompt = std::min(tokens, request.prompt_len);
  return PlanDecisions::held(tokens, request, place) - PlanDecisions::held(prompt, request, place);
}
// A prompt of whole blocks is padded by one more.
struct AlignedPromptPadded : PlanDecisions {
  static std::int64_t held(std::int64_t tokens, const hxc_request& request, const hxc_rank& place) {
    if (place.ownership != HXC_CONTIGUOUS_BLOCKS || request.prompt_len % place.interleave != 0) {
      return PlanDecisions::held(tokens, request, place);
    }
    const std::int64_t units = prompt_units(request.prompt_len, place) + 1;
    const std::int64_t begin = place.interleave * run_start(units, place.kvp, place.kvp_rank);
    const std::int64_t end = place.interleave * run_start(units, place.kvp, place.kvp_rank + 1);
    const std::int64_t prompt = std::min(tokens, request.prompt_len);
    return std::min(prompt, end) - std::min(prompt, begin) + generated(tokens, request, place);
  }
};
// Each rank takes ceil(units / ranks), and the last ones what is left.
struct CeilingOfUnits : PlanDecisions {
  static std::int64_t held(std::int64_t tokens, const hxc_request& request, const hxc_rank& place) {
    if (place.ownership == HXC_INTERLEAVED) return PlanDecisions::held(tokens, request, place);
    const std::int64_t unit = place.ownership == HXC_CONTIGUOUS ? 1 : place.interleave;
    const std::int64_t units = (request.prompt_len + unit - 1) / unit;
    const std::int64_t share = unit * ((units + place.kvp - 1) / place.kvp);
    const std::int64_t prompt = std::min(tokens, request.prompt_len);
    return std::clamp<std::int64_t>(prompt - share * place.kvp_rank, 0, share) +
           generated(tokens, request, place);
  }
};
// Whole rounds, and the rest to the first rank.
struct RestToFirstRank : PlanDecisions {
  static std::int64_t held(std::int64_t tokens, const hxc_request& request, const hxc_rank& place) {
    if (place.ownership != HXC_INTERLEAVED) return PlanDecisions::held(tokens, request, place);
    const std::int64_t run = place.interleave, prompt = std::min(tokens, request.prompt_len);
    const std::int64_t base = prompt / run / place.kvp * run;
    return base + (place.kvp_rank == 0 ? prompt - base * place.kvp : 0) +
           generated(tokens, request, place);
  }
};
// The interval of the last round is clipped above and not below.
struct NegativeLength : PlanDecisions {
  static std::int64_t held(std::int64_t tokens, const hxc_request& request, const hxc_rank& place) {
    if (place.ownership != HXC_INTERLEAVED) return PlanDecisions::held(tokens, request, place);
    const std::int64_t run = place.interleave, prompt = std::min(tokens, request.prompt_len);
    const std::int64_t base = prompt / run / place.kvp * run;
    return base + std::min(prompt - base * place.kvp - place.kvp_rank * run, run) +
           generated(tokens, request, place);
  }
};
struct GlobalLengths : PlanDecisions {
  static std::int64_t held(std::int64_t tokens, const hxc_request&, const hxc_rank&) {
    return tokens;
  }
};
// Ownership derived once more, from where the token's page lies in the pool.
struct OwnerOfPhysicalPage : PlanDecisions {
  static bool writes(const PlannedRow& row) {
    const hxc_rank& place = *row.step.place;
    const std::int64_t id = page_id(row, row.before / place.tokens_per_block);
    return id >= 0 && id % place.kvp == place.kvp_rank;
  }
};
bool holds_next(const PlannedRow& row) {
  const hxc_rank& place = *row.step.place;
  return PlanDecisions::held(row.index + 2, row.asked(), place) >
         PlanDecisions::held(row.index + 1, row.asked(), place);
}
// The owner of the next token writes this one, too.
struct TwoOwners : PlanDecisions {
  static bool writes(const PlannedRow& row) {
    return PlanDecisions::writes(row) || holds_next(row);
  }
};
struct NoOwner : PlanDecisions {
  static bool writes(const PlannedRow& row) {
    return PlanDecisions::writes(row) && holds_next(row);
  }
};
// All tokens of a step go to the owner of the first.
struct GroupStaysTogether : PlanDecisions {
  static bool writes(const PlannedRow& row) {
    const hxc_rank& place = *row.step.place;
    const std::int64_t first = row.asked().cached;
    return held(first + 1, row.asked(), place) > held(first, row.asked(), place);
  }
  static std::int64_t local_index(const PlannedRow& row) {
    return held(row.asked().cached, row.asked(), *row.step.place) + row.ordinal;
  }
};

// Slots are numbered over all ranks, and each rank takes them for its own.
int virtual_slots(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  const int status = cpu::plan(self, ranks, comm, error);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_rank& place = *ranks[i]->place;
    for (std::int64_t row = 0; row < ranks[i]->rows; ++row) {
      std::int64_t& slot = int_at(ranks[i]->slot, row);
      if (slot >= 0) slot = slot * place.kvp + place.kvp_rank;
    }
  }
  return status;
}

// A rank without keys has no list to work on.
int empty_rank_fails(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_step& step = *ranks[i];
    std::int64_t held = 0;
    for (std::int64_t r = 0; r < step.request_count; ++r) held += int_at(step.local_len, r);
    if (held > 0 || step.request_count == 0) continue;
    std::snprintf(error->message, sizeof error->message, "nothing to concatenate");
    return 1;
  }
  return cpu::attend(self, ranks, comm, error);
}

template <Text id, typename Decisions>
constexpr Mutant planning(std::string_view title, std::string_view source,
                          std::string_view smallest) {
  return mutant<id, HXC_PLAN, cpu::plan_with<Decisions>>(MutantClass::ownership, title, source,
                                                         smallest);
}

constexpr Mutant kMutants[] = {
    planning<"owner_interleave_ignored", InterleaveOfOne>(
        "tokens are dealt one by one, whatever the interleave", "vllm-project/vllm#56715",
        "kvp=2 decode_owner=restarted interleave=2 predicted_tokens_per_seq=2"),
    planning<"owner_run_of_a_page", RunOfAPage>(
        "runs longer than a page are dealt in pages", "vllm-project/vllm#51031",
        "kvp=2 ownership=interleaved interleave=2 kv_cache_tokens_per_block=1 ctx_len=2"),
    planning<"owner_first_step_wraps", FirstOwnerWraps>(
        "the first generated token goes to the last rank", "NVIDIA/TensorRT-LLM#17795",
        "kvp=2 decode_owner=restarted"),
    planning<"owner_ledger_behind", LedgerBehind>(
        "the ledger of tokens lags by one from the second step on", "NVIDIA/TensorRT-LLM#17866",
        "kvp=2 decode_owner=restarted decode_steps=2"),
    planning<"owner_aligned_prompt_padded", AlignedPromptPadded>(
        "a prompt of whole blocks is padded by another block", "NVIDIA/TensorRT-LLM#7972",
        "kvp=2 ownership=contiguous_blocks ctx_len=2 interleave=1"),
    planning<"owner_ceiling_of_units", CeilingOfUnits>(
        "each rank takes the rounded up share of a prompt", "like NVIDIA/TensorRT-LLM#19273",
        "kvp=3 ownership=contiguous ctx_len=4"),
    planning<"owner_rest_to_first_rank", RestToFirstRank>(
        "what is left of a round goes to the first rank", "like NVIDIA/TensorRT-LLM#19273",
        "kvp=2 ownership=interleaved interleave=2 ctx_len=3"),
    planning<"owner_negative_length", NegativeLength>(
        "ranks behind the last token have negative lengths", "vllm-project/vllm-ascend#12840",
        "kvp=2 ownership=interleaved"),
    planning<"owner_global_lengths", GlobalLengths>("the plan is made before lengths are localised",
                                                    "vllm-project/vllm#48003", "kvp=2"),
    planning<"owner_of_physical_page", OwnerOfPhysicalPage>(
        "ownership is derived from physical pages", "bytedance-iaas/sglang#747", "kvp=2 seed=7"),
    mutant<"owner_slot_of_all_ranks", HXC_PLAN, virtual_slots>(
        MutantClass::ownership, "slots numbered over all ranks are not divided by the ranks",
        "like sgl-project/sglang#36886", "kvp=2"),
    mutant<"owner_without_keys_fails", HXC_ATTEND, empty_rank_fails>(
        MutantClass::ownership, "attention fails on a rank without pages",
        "NVIDIA/TensorRT-LLM#15383", "kvp=2"),
    planning<"owner_twice", TwoOwners>("two copies of the rule disagree: a token has two owners",
                                       "like NVIDIA/TensorRT-LLM#19273",
                                       "kvp=2 decode_owner=restarted kv_cache_tokens_per_block=2"),
    planning<"owner_none", NoOwner>("two copies of the rule disagree: a token has no owner",
                                    "vllm-project/vllm#57260", "kvp=2 decode_owner=restarted"),
    planning<"owner_group_stays_together", GroupStaysTogether>(
        "all tokens of a step go to the owner of the first", "NVIDIA/TensorRT-LLM#16003",
        "kvp=2 decode_owner=restarted predicted_tokens_per_seq=2"),
};

}  // namespace

std::span<const Mutant> ownership() {
  return kMutants;
}

}  // namespace helixcheck::planted
