// Stage `plan`: who writes each new row, where, and how many of this rank's keys each row sees.
//
// The counts use the engines' own closed forms (vLLM's local length for round-robin ownership,
// TensorRT-LLM's restart at the first generated token); the judge holds them against a definition
// token by token.

#include <algorithm>

#include "subject/cpu/instance.hpp"
#include "subject/views.hpp"

namespace helixcheck::cpu {
namespace {

// Of `length` tokens dealt in runs of I over C ranks: whole rounds, then a part of the last one.
std::int64_t dealt(std::int64_t length, const hxc_rank& place) {
  const std::int64_t run = place.interleave;
  const std::int64_t base = length / run / place.kvp * run;
  const std::int64_t rest = length - base * place.kvp;
  return base + std::clamp<std::int64_t>(rest - place.kvp_rank * run, 0, run);
}

// Of `units` units cut into C runs, where this rank's run starts (rank = C: the end of the last).
std::int64_t run_start(std::int64_t units, std::int64_t ranks, std::int64_t rank) {
  return units / ranks * rank + std::min(rank, units % ranks);
}

std::int64_t prompt_share(std::int64_t tokens, std::int64_t prompt_len, const hxc_rank& place) {
  if (place.ownership == HXC_INTERLEAVED) return dealt(tokens, place);
  const std::int64_t unit = place.ownership == HXC_CONTIGUOUS ? 1 : place.interleave;
  const std::int64_t units = (prompt_len + unit - 1) / unit;
  const std::int64_t begin = unit * run_start(units, place.kvp, place.kvp_rank);
  const std::int64_t end = unit * run_start(units, place.kvp, place.kvp_rank + 1);
  return std::min(tokens, end) - std::min(tokens, begin);
}

// Of a request's first `tokens` tokens, how many this rank holds.
std::int64_t local_count(std::int64_t tokens, std::int64_t prompt_len, const hxc_rank& place) {
  if (tokens <= prompt_len) return prompt_share(tokens, prompt_len, place);
  const std::int64_t held = prompt_share(prompt_len, prompt_len, place);
  switch (place.decode_owner) {
    case HXC_OWNER_LAST: return held + (place.kvp_rank == place.kvp - 1 ? tokens - prompt_len : 0);
    case HXC_OWNER_CONTINUED: return held + dealt(tokens, place) - dealt(prompt_len, place);
    default: return held + dealt(tokens - prompt_len, place);
  }
}

void plan_request(const hxc_step& step, std::int64_t request, std::int64_t first_row) {
  const hxc_request& r = step.requests[request];
  const hxc_rank& place = *step.place;
  const std::int64_t page = place.tokens_per_block;
  std::int64_t local = local_count(r.cached, r.prompt_len, place);
  for (std::int64_t i = 0; i < r.query_tokens; ++i) {
    const std::int64_t index = r.cached + i;
    const std::int64_t after = local_count(index + 1, r.prompt_len, place);
    const bool mine = after > local;
    int_at(step.position, first_row + i) = step.model->position_base + index;
    int_at(step.slot, first_row + i) =
        mine ? int_at(step.block_table, request, local / page) * page + local % page : -1;
    int_at(step.visible, first_row + i) = after;
    int_at(step.row_request, first_row + i) = request;
    local = after;
  }
  int_at(step.local_len, request) = local;
}

}  // namespace

int plan(void*, hxc_step* const* ranks, hxc_comm* comm, hxc_error*) {
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_step& step = *ranks[i];
    std::int64_t row = 0;
    for (std::int64_t request = 0; request < step.request_count; ++request) {
      plan_request(step, request, row);
      row += step.requests[request].query_tokens;
    }
    for (; row < step.rows; ++row) {
      int_at(step.position, row) = 0;
      int_at(step.slot, row) = -1;
      int_at(step.visible, row) = 0;
      int_at(step.row_request, row) = -1;
    }
  }
  return 0;
}

}  // namespace helixcheck::cpu
