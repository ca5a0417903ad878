// Sizes follow from the limits; weights are only looked at.

#include "kernels/subject/instance.hpp"

#include <algorithm>

#include "kernels/check.hpp"
#include "kernels/subject/blas.hpp"

namespace helixcheck::cuda {
namespace {

std::int64_t code_bytes(int dtype) {
  return dtype == HXC_FP32 ? 4 : dtype == HXC_FP8_E4M3 ? 1 : 2;
}

AttendSizes attend_sizes(const hxc_model& model, const hxc_rank& place, const hxc_limits& limits) {
  AttendSizes sizes;
  sizes.ranks = limits.local_ranks;
  sizes.max_rows = limits.max_rows;
  sizes.max_requests = limits.max_requests;
  sizes.max_local_len = limits.max_local_len;
  sizes.heads = place.heads;
  sizes.latent = model.kv_lora_rank;
  sizes.rope = model.qk_rope_head_dim;
  sizes.dtype = model.dtype;
  sizes.kv_dtype = model.kv_dtype;
  sizes.kv_scale = model.kv_scale;
  sizes.softmax_scale = model.softmax_scale;
  sizes.tokens_per_block = place.tokens_per_block;
  sizes.lse_form = place.lse_form;
  return sizes;
}

std::int64_t padded16(std::int64_t bytes) {
  return (bytes + 15) / 16 * 16;
}

std::int64_t message_bytes_of(const hxc_model& model, const hxc_rank& place, std::int64_t rows) {
  const std::int64_t lanes = rows * place.owned_heads;
  const std::int64_t statistics = place.lse_form == HXC_LSE_MAX_SUM ? 2 : 1;
  return padded16(lanes * model.kv_lora_rank * code_bytes(model.dtype)) + lanes * statistics * 4;
}

// Room for what a rank sends or receives in either form of the merge: a packed message for each
// peer, or the statistics of all heads from each of them.
std::int64_t buffer_bytes_of(const hxc_model& model, const hxc_rank& place, std::int64_t rows) {
  constexpr std::int64_t kStatisticsBytes = 2 * sizeof(float);
  return place.kvp * std::max(padded16(message_bytes_of(model, place, rows)),
                              padded16(rows * place.heads * kStatisticsBytes));
}

}  // namespace

std::int64_t values_bytes(const hxc_step& step) {
  return padded16(step.rows * step.place->owned_heads * step.model->kv_lora_rank *
                  code_bytes(step.model->dtype));
}

std::int64_t message_bytes(const hxc_step& step) {
  return padded16(message_bytes_of(*step.model, *step.place, step.rows));
}

Instance::Instance(const hxc_model& model, const hxc_rank* const* places,
                   const hxc_weights* const* given, const hxc_limits& limits)
    : ranks(static_cast<std::size_t>(limits.local_ranks)),
      steps(model, places, given, limits),
      attend(plan_attend(attend_sizes(model, *places[0], limits))),
      attend_workspace(attend.workspace_bytes),
      buffer_bytes(buffer_bytes_of(model, *places[0], limits.max_rows)),
      send(ranks * static_cast<std::size_t>(buffer_bytes)),
      receive(ranks * static_cast<std::size_t>(buffer_bytes)) {
  prepare_blas();
  for (std::size_t i = 0; i < ranks; ++i) {
    weights.push_back(*given[i]);
    send_places.push_back(send.data() + i * static_cast<std::size_t>(buffer_bytes));
    receive_places.push_back(receive.data() + i * static_cast<std::size_t>(buffer_bytes));
  }
}

}  // namespace helixcheck::cuda
