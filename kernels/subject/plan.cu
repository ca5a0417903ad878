// Stage `plan`: the engines' closed forms, one block a rank.

#include "kernels/check.hpp"
#include "kernels/subject/instance.hpp"
#include "kernels/views.cuh"
#include "subject/local_count.hpp"

namespace helixcheck::cuda {
namespace {

__device__ void plan_request(const hxc_step& step, std::int64_t request, std::int64_t first_row) {
  const hxc_request r = step.requests[request];
  const hxc_rank& place = *step.place;
  const std::int64_t page = place.tokens_per_block;
  std::int64_t local = local_count(r.cached, r.prompt_len, place);
  for (std::int64_t i = 0; i < r.query_tokens; ++i) {
    const std::int64_t index = r.cached + i, row = first_row + i;
    const std::int64_t after = local_count(index + 1, r.prompt_len, place);
    int_at(step.position, row) = step.model->position_base + index;
    int_at(step.slot, row) =
        after > local ? int_at(step.block_table, request, local / page) * page + local % page : -1;
    int_at(step.visible, row) = after;
    int_at(step.row_request, row) = request;
    local = after;
  }
  int_at(step.local_len, request) = local;
}

__global__ void plan_kernel(const hxc_step* steps) {
  const hxc_step& step = steps[blockIdx.x];
  for (std::int64_t request = threadIdx.x; request < step.request_count; request += blockDim.x) {
    std::int64_t first_row = 0;
    for (std::int64_t i = 0; i < request; ++i) first_row += step.requests[i].query_tokens;
    plan_request(step, request, first_row);
  }
  for (std::int64_t row = step.rows - step.padding_rows + threadIdx.x; row < step.rows;
       row += blockDim.x) {
    int_at(step.position, row) = 0;
    int_at(step.slot, row) = -1;
    int_at(step.visible, row) = 0;
    int_at(step.row_request, row) = -1;
  }
}

}  // namespace

int plan(void* instance, hxc_step* const* ranks, hxc_comm*, hxc_error* error) {
  return guarded(error, [&] {
    const Call call(instance, ranks);
    plan_kernel<<<call.ranks_z, 64, 0, call.stream>>>(call.steps);
    HXC_CHECK_LAUNCH("plan_kernel");
  });
}

}  // namespace helixcheck::cuda
