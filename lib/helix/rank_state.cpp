// Buffers have room for the largest step and keep their addresses: a step never allocates.

#include "helix/rank_state.hpp"

#include <algorithm>

#include "subject/views.hpp"

namespace helixcheck {
namespace {

// clang-format off
constexpr std::array<hxc_tensor hxc_step::*, kTapCount> kMembers = {
    &hxc_step::block_table, &hxc_step::position, &hxc_step::slot, &hxc_step::local_len,
    &hxc_step::visible, &hxc_step::row_request,
    &hxc_step::q_a, &hxc_step::q_c, &hxc_step::q_nope, &hxc_step::q, &hxc_step::kv_c,
    &hxc_step::latent,
    nullptr, nullptr,
    &hxc_step::partial_o, &hxc_step::lse, nullptr,
    &hxc_step::exchanged, &hxc_step::exchanged_lse,
    &hxc_step::combined, &hxc_step::combined_lse,
    &hxc_step::v_up, &hxc_step::o_partial, &hxc_step::output};
// clang-format on

hxc_tensor weight_rows(const WeightAddress& address_of, const Tensor& tensor, std::int64_t first,
                       std::int64_t rows) {
  if (tensor.empty()) return hxc_tensor{};
  const std::int64_t columns = tensor.shape.size() > 1 ? tensor.shape[1] : 1;
  const std::int64_t bytes = static_cast<std::int64_t>(size_of(tensor.dtype));
  const std::byte* data = address_of(tensor) + first * columns * bytes;
  if (tensor.shape.size() == 1) return dense(data, boundary_dtype(tensor.dtype), {rows});
  return dense(data, boundary_dtype(tensor.dtype), {rows, columns});
}

// Of kv_b [H * (N + Vd), R]: for `heads` heads from `first` on, `rows` rows from `row` on.
hxc_tensor head_rows(const Problem& p, const WeightAddress& address_of, const Tensor& kv_b,
                     std::int64_t first, std::int64_t heads, std::int64_t row, std::int64_t rows) {
  const std::int64_t per_head = p.qk_nope_head_dim + p.v_head_dim;
  hxc_tensor view = weight_rows(address_of, kv_b, first * per_head + row, rows);
  view.rank = 3;
  view.shape[0] = heads;
  view.shape[1] = rows;
  view.shape[2] = p.kv_lora_rank;
  view.stride[0] = per_head * p.kv_lora_rank;
  view.stride[1] = p.kv_lora_rank;
  view.stride[2] = 1;
  return view;
}

}  // namespace

hxc_tensor hxc_step::*member_of(Tap tap) {
  return kMembers[static_cast<std::size_t>(tap)];
}

hxc_model make_model(const Inputs& inputs) {
  const Problem& p = inputs.problem();
  const RopeTable& rope = inputs.rope();
  hxc_model model{};
  model.hidden_size = p.hidden_size;
  model.num_heads = p.num_heads;
  model.q_lora_rank = p.q_lora_rank;
  model.kv_lora_rank = p.kv_lora_rank;
  model.qk_nope_head_dim = p.qk_nope_head_dim;
  model.qk_rope_head_dim = p.qk_rope_head_dim;
  model.v_head_dim = p.v_head_dim;
  model.rms_norm_eps = p.rms_norm_eps;
  model.softmax_scale = rope.softmax_scale;
  model.cos_scale = rope.cos_scale;
  model.inv_freq = rope.inv_freq.data();
  model.rope_interleave = p.rope_interleave ? 1 : 0;
  model.dtype = boundary_dtype(p.dtype);
  model.kv_dtype = boundary_dtype(p.kv_cache_dtype);
  model.kv_scale = p.kv_scale;
  model.position_base = p.position_base;
  return model;
}

hxc_rank make_place(const Scenario& scenario, int rank) {
  const Layout& layout = scenario.layout;
  hxc_rank place{};
  place.kvp = static_cast<std::int32_t>(layout.kvp);
  place.tpa = static_cast<std::int32_t>(layout.tpa);
  place.kvp_rank = rank % place.kvp;
  place.tpa_rank = rank / place.kvp;
  const bool merge = scenario.problem.entry == Entry::merge;
  place.heads = scenario.problem.num_heads / layout.tpa;
  place.owned_heads = merge ? place.heads : place.heads / layout.kvp;
  place.ownership = static_cast<std::int32_t>(layout.ownership);
  place.decode_owner = static_cast<std::int32_t>(layout.decode_owner);
  place.interleave = layout.interleave;
  place.tokens_per_block = layout.kv_cache_tokens_per_block;
  place.lse_form = static_cast<std::int32_t>(layout.lse_form);
  return place;
}

hxc_weights make_weights(const Inputs& inputs, const hxc_rank& place,
                         const WeightAddress& address_of) {
  hxc_weights views{};
  const Problem& p = inputs.problem();
  if (p.entry != Entry::layer) return views;
  const Weights& w = inputs.weights();
  const std::int64_t head_width = p.qk_nope_head_dim + p.qk_rope_head_dim;
  const std::int64_t first = place.tpa_rank * place.heads;
  const std::int64_t first_owned = first + place.kvp_rank * place.owned_heads;
  views.q_a = weight_rows(address_of, w.q_a, 0, p.q_lora_rank);
  views.q_a_norm = weight_rows(address_of, w.q_a_norm, 0, p.q_lora_rank);
  views.q_b = weight_rows(address_of, w.q_b, first * head_width, place.heads * head_width);
  views.kv_a = weight_rows(address_of, w.kv_a, 0, p.kv_lora_rank + p.qk_rope_head_dim);
  views.kv_a_norm = weight_rows(address_of, w.kv_a_norm, 0, p.kv_lora_rank);
  views.k_b = head_rows(p, address_of, w.kv_b, first, place.heads, 0, p.qk_nope_head_dim);
  views.v_b = head_rows(p, address_of, w.kv_b, first_owned, place.owned_heads, p.qk_nope_head_dim,
                        p.v_head_dim);
  views.o = weight_rows(address_of, w.o, 0, p.hidden_size);
  views.o.data = at(views.o, 0, first_owned * p.v_head_dim);
  views.o.shape[1] = place.owned_heads * p.v_head_dim;
  return views;
}

std::int64_t pages_of(const Extents& extents, const hxc_rank& place) {
  return extents.pages.empty() ? 0 : extents.pages[static_cast<std::size_t>(place.kvp_rank)];
}

RankState::RankState(const Inputs& inputs, const hxc_model& model, int rank, const Extents& extents,
                     const RankMemory& where)
    : scenario_(inputs.scenario()),
      place_(make_place(inputs.scenario(), rank)),
      weights_(make_weights(inputs, place_, where.address_of)),
      cache_(inputs.scenario(), pages_of(extents, place_), where.pool),
      max_pages_(std::max<std::int64_t>(extents.pages_per_request, 1)),
      where_(where) {
  step_.model = &model;
  step_.place = &place_;
  step_.weights = &weights_;
  step_.cache = cache_.view();
  step_.stream = where.memory.stream();
  // Shaping the largest steps once sizes every buffer.
  begin_step(0, extents.prompt_rows, 1, true);
  begin_step(0, extents.rows, std::max<std::int64_t>(extents.requests, 1), false);
}

void RankState::set_workspace(std::size_t bytes) {
  workspace_ = bytes > 0 ? Block(where_.memory, bytes) : Block();
  step_.workspace = workspace_.data();
}

hxc_tensor RankState::placed(std::size_t slot, std::int32_t dtype,
                             std::initializer_list<std::int64_t> extents) {
  hxc_tensor tensor = dense(where_.buffers.subject_address(where_.local, slot), dtype, extents);
  std::int64_t elements = 1;
  for (const std::int64_t extent : extents) elements *= extent;
  where_.buffers.size(where_.local, slot,
                      static_cast<std::size_t>(elements * element_bytes(tensor)));
  return tensor;
}

void RankState::shape(Tap tap, std::int32_t dtype, std::initializer_list<std::int64_t> extents) {
  step_.*member_of(tap) = placed(static_cast<std::size_t>(tap), dtype, extents);
}

hxc_tensor RankState::host_tensor(Tap tap) const {
  hxc_tensor tensor = step_.*member_of(tap);
  tensor.data = buffer(tap);
  return tensor;
}

void RankState::begin_step(std::int64_t step, std::int64_t rows, std::int64_t request_count,
                           bool is_prompt) {
  const Problem& p = scenario_.problem;
  const std::int32_t dtype = boundary_dtype(p.dtype);
  const std::int64_t heads = place_.heads, owned = place_.owned_heads, kvp = place_.kvp;
  const std::int64_t latent = p.kv_lora_rank, width = latent + p.qk_rope_head_dim;
  const std::int64_t statistics = place_.lse_form == HXC_LSE_MAX_SUM ? 2 : 1;
  const bool layer = p.entry == Entry::layer;
  for (const auto member : kMembers) {
    if (member != nullptr) step_.*member = hxc_tensor{};
  }
  step_.step = step;
  step_.is_prompt = is_prompt ? 1 : 0;
  step_.rows = rows;
  step_.request_count = request_count;
  shape(Tap::position, HXC_INT64, {rows});
  shape(Tap::slot, HXC_INT64, {rows});
  shape(Tap::latent, dtype, {rows, width});
  if (layer) {
    shape(Tap::kv_c, dtype, {rows, width});
    step_.hidden = placed(TapBuffers::kHidden, dtype, {rows, p.hidden_size});
  }
  if (is_prompt) return;
  shape(Tap::block_table, HXC_INT64, {request_count, max_pages_});
  shape(Tap::local_len, HXC_INT64, {request_count});
  shape(Tap::visible, HXC_INT64, {rows});
  shape(Tap::row_request, HXC_INT64, {rows});
  if (layer && p.q_lora_rank > 0) {
    shape(Tap::q_a, dtype, {rows, p.q_lora_rank});
    shape(Tap::q_c, dtype, {rows, p.q_lora_rank});
  }
  if (layer) shape(Tap::q_nope, dtype, {rows, heads, p.qk_nope_head_dim + p.qk_rope_head_dim});
  shape(Tap::q, dtype, {rows, heads, width});
  shape(Tap::partial_o, dtype, {rows, heads, latent});
  shape(Tap::lse, HXC_FP32, {rows, heads, statistics});
  shape(Tap::exchanged, dtype, {kvp, rows, owned, latent});
  shape(Tap::exchanged_lse, HXC_FP32, {kvp, rows, owned, statistics});
  shape(Tap::combined, dtype, {rows, owned, latent});
  shape(Tap::combined_lse, HXC_FP32, {rows, owned});
  if (layer) {
    shape(Tap::v_up, dtype, {rows, owned, p.v_head_dim});
    shape(Tap::o_partial, dtype, {rows, p.hidden_size});
    shape(Tap::output, dtype, {rows, p.hidden_size});
  }
}

void RankState::set_block_table(std::span<const StepRequest> requests) {
  const hxc_tensor table = host_tensor(Tap::block_table);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    auto* row = &int_at(table, static_cast<std::int64_t>(i));
    const std::span<const std::int64_t> ids = cache_.table(requests[i].id);
    std::fill(std::copy(ids.begin(), ids.end(), row), row + table.shape[1], -1);
  }
}

bool RankState::plan_is_usable() const {
  const auto within = [](std::int64_t value, std::int64_t low, std::int64_t high) {
    return low <= value && value <= high;
  };
  const hxc_tensor block_table = host_tensor(Tap::block_table);
  const hxc_tensor local_len = host_tensor(Tap::local_len), slots = host_tensor(Tap::slot);
  const hxc_tensor visible = host_tensor(Tap::visible);
  const hxc_tensor row_request = host_tensor(Tap::row_request);
  const std::int64_t page = place_.tokens_per_block, pages = step_.cache.shape[0];
  std::int64_t longest = 0;
  for (std::int64_t i = 0; i < step_.request_count; ++i) {
    const std::int64_t* table = &int_at(block_table, i);
    const auto held = std::find(table, table + block_table.shape[1], -1) - table;
    if (!within(int_at(local_len, i), 0, held * page)) return false;
    longest = std::max(longest, int_at(local_len, i));
  }
  const std::int64_t first_slot = scenario_.layout.page_id_base * page;
  for (std::int64_t row = 0; row < step_.rows; ++row) {
    const std::int64_t slot = int_at(slots, row);
    if (slot != -1 && !within(slot, first_slot, pages * page - 1)) return false;
    if (!within(int_at(visible, row), 0, longest)) return false;
    if (!within(int_at(row_request, row), -1, step_.request_count - 1)) return false;
  }
  return true;
}

TapView RankState::view(Tap tap) const {
  const hxc_tensor& tensor = step_.*member_of(tap);
  TapView view;
  if (tensor.data == nullptr) return view;
  view.present = true;
  view.integers = tensor.dtype == HXC_INT64;
  if (!view.integers) view.dtype = dtype_of(tensor);
  view.shape.assign(tensor.shape, tensor.shape + tensor.rank);
  view.data = buffer(tap);
  return view;
}

}  // namespace helixcheck
