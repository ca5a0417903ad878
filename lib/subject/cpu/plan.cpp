// Stage `plan`: who writes each new row, where, and how many of this rank's keys each row sees.
//
// The counts use the engines' own closed forms (vLLM's local length for round-robin ownership,
// TensorRT-LLM's restart at the first generated token); the judge holds them against a definition
// token by token.

#include "subject/cpu/instance.hpp"
#include "subject/local_count.hpp"
#include "subject/views.hpp"

namespace helixcheck::cpu {
namespace {

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
