// Faults of causal masks and of steps with several query tokens.

#include <algorithm>
#include <cstdio>
#include <limits>
#include <vector>

#include "subject/cpu/attend.hpp"
#include "subject/cpu/combine.hpp"
#include "subject/mutants/classes.hpp"
#include "subject/mutants/plan.hpp"
#include "subject/mutants/planted.hpp"

namespace helixcheck::planted {
namespace {

using cpu::AttendDecisions;
using cpu::MergeDecisions;

// Of the keys behind a row's own, this step brings the first: its rank shows it, too.
struct OneKeyMore : AttendDecisions {
  static std::int64_t visible(const hxc_step& step, std::int64_t row) {
    const std::int64_t seen = int_at(step.visible, row), next = row + 1;
    const bool same = next < step.rows && int_at(step.row_request, row) >= 0 &&
                      int_at(step.row_request, next) == int_at(step.row_request, row);
    return same && int_at(step.slot, next) >= 0 ? seen + 1 : seen;
  }
};
struct OneKeyLess : AttendDecisions {
  static std::int64_t visible(const hxc_step& step, std::int64_t row) {
    const bool owned = int_at(step.slot, row) >= 0;
    return std::max<std::int64_t>(int_at(step.visible, row) - (owned ? 1 : 0), 0);
  }
};

std::int64_t local_end(const PlannedRow& row) {
  const hxc_request& request = row.asked();
  return PlanDecisions::held(request.cached + request.query_tokens, request, *row.step.place);
}
// Each draft row advances every rank by one.
struct EveryRankAdvances : PlanDecisions {
  static std::int64_t visible(const PlannedRow& row) {
    const std::int64_t behind = row.asked().query_tokens - 1 - row.ordinal;
    return std::max<std::int64_t>(local_end(row) - behind, 0);
  }
};
struct WindowFromBefore : PlanDecisions {
  static std::int64_t visible(const PlannedRow& row) {
    const hxc_request& request = row.asked();
    const std::int64_t before = held(request.cached, request, *row.step.place);
    return std::min(before + row.ordinal + 1, local_end(row));
  }
};
// The causal bound of the whole sequence, held against local indices.
struct GlobalBound : PlanDecisions {
  static std::int64_t visible(const PlannedRow& row) {
    return std::min(row.index + 1, local_end(row));
  }
};
struct WindowOfFirstToken : PlanDecisions {
  static std::int64_t visible(const PlannedRow& row) {
    const hxc_request& request = row.asked();
    return held(request.cached + 1, request, *row.step.place);
  }
};

// The total that a mask counts from was made local before, and is made so again.
struct TotalIsLocal : PlanDecisions {
  static std::int64_t visible(const PlannedRow& row) {
    const hxc_request& request = row.asked();
    if (request.query_tokens < 2) return PlanDecisions::visible(row);
    const std::int64_t seen = EveryRankAdvances::visible(row);
    return std::min(row.after, held(seen, request, *row.step.place));
  }
};

// The mask of several tokens has no columns for the keys that are cached.
int mask_of_new_tokens(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  for (std::int64_t r = 0; r < ranks[0]->request_count; ++r) {
    const hxc_request& request = ranks[0]->requests[r];
    if (request.query_tokens < 2 || request.cached == 0) continue;
    std::snprintf(error->message, sizeof error->message, "mask and scores have other shapes");
    return 1;
  }
  return cpu::attend(self, ranks, comm, error);
}
// Rows at the begin of a step that see nothing are 0 / 0; later ones are right.
int leading_rows_nan(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  const int status = cpu::attend(self, ranks, comm, error);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_step& step = *ranks[i];
    const std::vector<float> nothing(static_cast<std::size_t>(step.model->kv_lora_rank),
                                     std::numeric_limits<float>::quiet_NaN());
    for (std::int64_t row = 0; row < step.rows && int_at(step.visible, row) == 0; ++row) {
      for (std::int64_t h = 0; h < step.place->heads; ++h) {
        encode_from(dtype_of(step.partial_o), nothing, at(step.partial_o, row, h));
      }
    }
  }
  return status;
}

// The merge's batch stride is zero where requests have several tokens: all lie on the first.
struct ResultsFolded : MergeDecisions {
  static std::int64_t row_of_result(const hxc_step& step, std::int64_t row) {
    if (step.place->kvp == 1 || !several_tokens(step)) return row;
    std::int64_t first = 0;
    for (std::int64_t r = 0; r < step.request_count; ++r) {
      const std::int64_t rows = step.requests[r].query_tokens;
      if (row < first + rows) return row - first;
      first += rows;
    }
    return row;
  }
};
template <Text id, typename Decisions>
constexpr Mutant planning(std::string_view title, std::string_view source,
                          std::string_view smallest) {
  return mutant<id, HXC_PLAN, cpu::plan_with<Decisions>>(MutantClass::masks, title, source,
                                                         smallest);
}
template <Text id, typename Decisions>
constexpr Mutant attending(std::string_view title, std::string_view source,
                           std::string_view smallest) {
  return mutant<id, HXC_ATTEND, cpu::attend_with<Decisions>>(MutantClass::masks, title, source,
                                                             smallest);
}

constexpr Mutant kMutants[] = {
    attending<"causal_one_key_more", OneKeyMore>("rows see the key after their own",
                                                 "flashinfer-ai/flashinfer#348",
                                                 "predicted_tokens_per_seq=2"),
    attending<"causal_one_key_less", OneKeyLess>("rows do not see their own key",
                                                 "like flashinfer-ai/flashinfer#348", ""),
    planning<"drafts_advance_every_rank", EveryRankAdvances>(
        "each draft row advances the length of every rank", "ROCm/ATOM#2118",
        "kvp=2 predicted_tokens_per_seq=2 ctx_len=1"),
    planning<"drafts_window_from_before", WindowFromBefore>(
        "draft rows count on from the local length of before", "ROCm/ATOM#1746",
        "kvp=2 predicted_tokens_per_seq=2 decode_owner=restarted"),
    planning<"causal_global_bound", GlobalBound>(
        "the causal bound of the sequence is held against local indices",
        "lightseekorg/tokenspeed#364", "predicted_tokens_per_seq=2 ctx_len=1 kvp=2"),
    planning<"mask_total_is_local", TotalIsLocal>(
        "the total that a mask counts from is the rank's own, made local again",
        "vllm-project/vllm#28990", "kvp=2 predicted_tokens_per_seq=2 ctx_len=1"),
    mutant<"mask_without_cached_keys", HXC_ATTEND, mask_of_new_tokens>(
        MutantClass::masks, "several tokens behind cached ones fail in the mask",
        "deepseek-ai/DeepSeek-V3#1536", "ctx_len=1 predicted_tokens_per_seq=2"),
    mutant<"leading_masked_rows_nan", HXC_ATTEND, leading_rows_nan>(
        MutantClass::masks, "rows that see nothing are NaN at the begin of a step",
        "ikawrakow/ik_llama.cpp#2344", "kvp=2"),
    planning<"drafts_window_of_first", WindowOfFirstToken>(
        "all draft rows have the window of the first", "like vllm-project/vllm#46076",
        "predicted_tokens_per_seq=2"),
    mutant<"drafts_results_folded", HXC_COMBINE, cpu::combine_with<ResultsFolded>>(
        MutantClass::masks, "merged results of all requests with drafts are written to the first",
        "vllm-project/flash-attention#176",
        "entry=core kvp=2 ctx_len=0,0 predicted_tokens_per_seq=2"),
};

}  // namespace

std::span<const Mutant> masks() {
  return kMutants;
}

}  // namespace helixcheck::planted
