// Stage `plan` as a template of its decisions, so that a mutant replaces exactly one of them.
//
// The counts use the engines' own closed forms (vLLM's local length for round-robin ownership,
// TensorRT-LLM's restart at the first generated token); the judge holds them against a definition
// token by token.

#pragma once

#include "subject/local_count.hpp"
#include "subject/views.hpp"

namespace helixcheck::cpu {

// A new token on one rank.
struct PlannedRow {
  const hxc_step& step;
  std::int64_t request;        // index into the step's requests
  std::int64_t ordinal;        // of this step's tokens of the request, from 0
  std::int64_t index;          // in the request, over all ranks
  std::int64_t before, after;  // tokens of the request on this rank without and with this one
  const hxc_request& asked() const { return step.requests[request]; }
};

struct PlanDecisions {
  // Of a request's first `tokens` tokens, how many this rank holds.
  static std::int64_t held(std::int64_t tokens, const hxc_request& request, const hxc_rank& place) {
    return local_count(tokens, request.prompt_len, place);
  }
  static std::int64_t position(const PlannedRow& row) {
    return row.step.model->position_base + row.index;
  }
  static bool writes(const PlannedRow& row) { return row.after > row.before; }
  // Which of this rank's rows of the request the token becomes, if it is written.
  static std::int64_t local_index(const PlannedRow& row) { return row.before; }
  static std::int64_t page_id(const PlannedRow& row, std::int64_t page) {
    return int_at(row.step.block_table, row.request, page);
  }
  static std::int64_t visible(const PlannedRow& row) { return row.after; }
};

template <class Decisions>
void plan_request(const hxc_step& step, std::int64_t request, std::int64_t first_row) {
  const hxc_request& r = step.requests[request];
  const hxc_rank& place = *step.place;
  const std::int64_t page = place.tokens_per_block;
  std::int64_t local = Decisions::held(r.cached, r, place);
  for (std::int64_t i = 0; i < r.query_tokens; ++i) {
    const std::int64_t index = r.cached + i;
    const std::int64_t after = Decisions::held(index + 1, r, place);
    const PlannedRow row{step, request, i, index, local, after};
    const std::int64_t own = Decisions::local_index(row);
    int_at(step.position, first_row + i) = Decisions::position(row);
    int_at(step.slot, first_row + i) =
        Decisions::writes(row) ? Decisions::page_id(row, own / page) * page + own % page : -1;
    int_at(step.visible, first_row + i) = Decisions::visible(row);
    int_at(step.row_request, first_row + i) = request;
    local = after;
  }
  int_at(step.local_len, request) = local;
}

template <class Decisions>
int plan_with(void*, hxc_step* const* ranks, hxc_comm* comm, hxc_error*) {
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_step& step = *ranks[i];
    std::int64_t row = 0;
    for (std::int64_t request = 0; request < step.request_count; ++request) {
      plan_request<Decisions>(step, request, row);
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
