#include "bench/rank_buffers.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "generate/philox.hpp"
#include "helix/rank_state.hpp"
#include "mla/formats.hpp"
#include "scenario/ownership.hpp"
#include "subject/views.hpp"

namespace helixcheck::bench {
namespace {

constexpr std::int64_t kDrawnRows = 4096;  // of the block that pages are filled from
constexpr std::uint64_t kShuffleKey = 0x68656c6978;
constexpr std::byte kNan{0xff};
constexpr std::int64_t kStagingBytes = std::int64_t{64} << 20;

std::size_t bytes_of(const hxc_tensor& tensor) {
  std::int64_t elements = 1;
  for (int axis = 0; axis < tensor.rank; ++axis) elements *= tensor.shape[axis];
  return static_cast<std::size_t>(elements * element_bytes(tensor));
}

std::int64_t below(std::int64_t limit, std::uint32_t stream, std::int64_t i) {
  const PhiloxBlock words = philox4x32_10(
      {static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i >> 32), stream, 0}, kShuffleKey);
  return static_cast<std::int64_t>(
      (static_cast<std::uint64_t>(words[0]) * static_cast<std::uint64_t>(limit)) >> 32);
}

// Drawn rows [count, R + P] in the cache's format.
std::vector<std::byte> drawn_rows(const Inputs& inputs, std::int64_t count) {
  const Problem& p = inputs.problem();
  const std::int64_t width = p.kv_lora_rank + p.qk_rope_head_dim;
  std::vector<std::byte> rows(static_cast<std::size_t>(count * width) * size_of(p.dtype));
  inputs.latent({0, 0}, 0, count, rows.data());
  if (p.kv_cache_dtype == p.dtype) return rows;
  std::vector<double> values(static_cast<std::size_t>(count * width));
  decode_to(p.dtype, rows.data(), std::span<double>(values));
  for (double& value : values) value /= p.kv_scale;
  rows.resize(values.size() * size_of(p.kv_cache_dtype));
  encode_from(p.kv_cache_dtype, std::span<const double>(values), rows.data());
  return rows;
}

}  // namespace

RankBuffers::RankBuffers(const Inputs& inputs, const hxc_model& model,
                         const WeightAddress& address_of, int rank, Memory& memory)
    : inputs_(inputs),
      scenario_(inputs.scenario()),
      memory_(memory),
      place_(make_place(scenario_, rank)),
      weights_(make_weights(inputs, place_, address_of)) {
  const std::int64_t prompt = scenario_.problem.ctx_len.front();
  const std::int64_t page = place_.tokens_per_block;
  keys_ = owned_count(scenario_.layout, place_.kvp_rank, prompt + 1, prompt);
  pages_per_request_ = std::max<std::int64_t>((keys_ + page - 1) / page, 1);
  requests_.assign(static_cast<std::size_t>(scenario_.problem.batch()), {prompt, prompt, 1});
  make_tensors();
  make_cache();
  fill_inputs();
  step_.requests = requests_.data();
  step_.request_count = std::ssize(requests_);
  step_.model = &model;
  step_.place = &place_;
  step_.weights = &weights_;
  step_.stream = memory.stream();
  memory_.synchronize();
}

void RankBuffers::set_workspace(std::size_t bytes) {
  workspace_ = bytes > 0 ? Block(memory_, bytes) : Block();
  step_.workspace = workspace_.data();
}

hxc_tensor RankBuffers::make(std::int32_t dtype, std::initializer_list<std::int64_t> extents) {
  hxc_tensor tensor = dense(nullptr, dtype, extents);
  blocks_.emplace_back(memory_, std::max<std::size_t>(bytes_of(tensor), 1));
  tensor.data = blocks_.back().data();
  return tensor;
}

void RankBuffers::make_tensors() {
  const Problem& p = scenario_.problem;
  const std::int32_t dtype = boundary_dtype(p.dtype);
  const std::int64_t rows = p.batch(), heads = place_.heads, owned = place_.owned_heads;
  const std::int64_t latent = p.kv_lora_rank, width = latent + p.qk_rope_head_dim;
  const std::int64_t statistics = place_.lse_form == HXC_LSE_MAX_SUM ? 2 : 1;
  step_.rows = rows;
  for (hxc_tensor* counts :
       {&step_.position, &step_.slot, &step_.visible, &step_.row_request, &step_.local_len}) {
    *counts = make(HXC_INT64, {rows});
  }
  step_.block_table = make(HXC_INT64, {rows, pages_per_request_});
  step_.latent = make(dtype, {rows, width});
  step_.q = make(dtype, {rows, heads, width});
  step_.partial_o = make(dtype, {rows, heads, latent});
  step_.lse = make(HXC_FP32, {rows, heads, statistics});
  step_.exchanged = make(dtype, {place_.kvp, rows, owned, latent});
  step_.exchanged_lse = make(HXC_FP32, {place_.kvp, rows, owned, statistics});
  step_.combined = make(dtype, {rows, owned, latent});
  step_.combined_lse = make(HXC_FP32, {rows, owned});
  if (p.entry != Entry::layer) return;
  step_.hidden = make(dtype, {rows, p.hidden_size});
  step_.kv_c = make(dtype, {rows, width});
  if (p.q_lora_rank > 0) {
    step_.q_a = make(dtype, {rows, p.q_lora_rank});
    step_.q_c = make(dtype, {rows, p.q_lora_rank});
  }
  step_.q_nope = make(dtype, {rows, heads, p.qk_nope_head_dim + p.qk_rope_head_dim});
  step_.v_up = make(dtype, {rows, owned, p.v_head_dim});
  step_.o_partial = make(dtype, {rows, p.hidden_size});
  step_.output = make(dtype, {rows, p.hidden_size});
}

void RankBuffers::make_cache() {
  const Problem& p = scenario_.problem;
  const std::int64_t page = place_.tokens_per_block;
  const std::int64_t width = p.kv_lora_rank + p.qk_rope_head_dim;
  const std::int64_t pages = p.batch() * pages_per_request_;
  const auto rank = static_cast<std::uint32_t>(place_.kvp_rank);
  step_.cache = make(boundary_dtype(p.kv_cache_dtype), {pages, page, width});
  page_ids_.resize(static_cast<std::size_t>(pages));
  std::iota(page_ids_.begin(), page_ids_.end(), std::int64_t{0});
  for (std::int64_t i = pages - 1; i > 0; --i) {
    std::swap(page_ids_[static_cast<std::size_t>(i)],
              page_ids_[static_cast<std::size_t>(below(i + 1, 2 * rank, i))]);
  }
  const std::int64_t count = std::max(kDrawnRows, 2 * page);
  const std::vector<std::byte> rows = drawn_rows(inputs_, count);
  const Block staging(memory_, rows.size(), Block::Side::host);
  std::memcpy(staging.data(), rows.data(), rows.size());
  const std::int64_t row_bytes = width * static_cast<std::int64_t>(size_of(p.kv_cache_dtype));
  for (std::int64_t i = 0; i < pages; ++i) {
    const std::int64_t first = below(count - page, 2 * rank + 1, i);
    memory_.upload(at(step_.cache, i), staging.data() + first * row_bytes,
                   static_cast<std::size_t>(page * row_bytes));
  }
  upload(step_.block_table, page_ids_.data(), page_ids_.size() * sizeof(std::int64_t));
}

// What the pipeline lays out: hidden states, or queries and the new cache rows.
void RankBuffers::fill_inputs() {
  const Problem& p = scenario_.problem;
  const auto rows = static_cast<std::size_t>(p.batch());
  const bool layer = p.entry == Entry::layer;
  std::vector<std::byte> first(bytes_of(layer ? step_.hidden : step_.latent));
  std::vector<std::byte> queries(layer ? 0 : bytes_of(step_.q));
  for (std::size_t r = 0; r < rows; ++r) {
    const auto id = static_cast<std::int64_t>(r);
    const std::int64_t index = p.ctx_len[r];
    const Row row{id, id, index, {id, index}};
    std::byte* to = first.data() + r * (first.size() / rows);
    if (layer) {
      inputs_.hidden(row.token, 1, to);
    } else {
      inputs_.latent(row.token, index, 1, to);
      inputs_.query(row, queries.data() + r * (queries.size() / rows));
    }
  }
  upload(layer ? step_.hidden : step_.latent, first.data(), first.size());
  if (!layer) upload(step_.q, queries.data(), queries.size());
}

void RankBuffers::upload(const hxc_tensor& to, const void* from, std::size_t bytes) {
  const Block staging(memory_, bytes, Block::Side::host);
  std::memcpy(staging.data(), from, bytes);
  memory_.upload(to.data, staging.data(), bytes);
  memory_.synchronize();
}

std::vector<std::byte> RankBuffers::cache_rows(std::int64_t request) const {
  const std::int64_t page = place_.tokens_per_block;
  const std::int64_t page_bytes = page * step_.cache.shape[2] * element_bytes(step_.cache);
  const std::int64_t at_once =
      std::clamp<std::int64_t>(kStagingBytes / page_bytes, 1, pages_per_request_);
  const Block staging(memory_, static_cast<std::size_t>(at_once * page_bytes), Block::Side::host);
  std::vector<std::byte> rows;
  rows.reserve(static_cast<std::size_t>(pages_per_request_ * page_bytes));
  for (std::int64_t begin = 0; begin < pages_per_request_; begin += at_once) {
    const std::int64_t count = std::min(at_once, pages_per_request_ - begin);
    for (std::int64_t i = 0; i < count; ++i) {
      const auto place = static_cast<std::size_t>(request * pages_per_request_ + begin + i);
      memory_.download(staging.data() + i * page_bytes, at(step_.cache, page_ids_[place]),
                       static_cast<std::size_t>(page_bytes));
    }
    memory_.synchronize();
    rows.insert(rows.end(), staging.data(), staging.data() + count * page_bytes);
  }
  rows.resize(static_cast<std::size_t>(keys_ * (page_bytes / page)));
  return rows;
}

std::vector<std::byte> RankBuffers::elements(const hxc_tensor& tensor, std::int64_t first,
                                             std::int64_t count) const {
  const auto bytes = static_cast<std::size_t>(count * element_bytes(tensor));
  const Block staging(memory_, bytes, Block::Side::host);
  memory_.download(staging.data(),
                   static_cast<const std::byte*>(tensor.data) + first * element_bytes(tensor),
                   bytes);
  memory_.synchronize();
  return {staging.data(), staging.data() + bytes};
}

void RankBuffers::spoil_results() {
  for (const hxc_tensor* tensor : {&step_.partial_o, &step_.lse, &step_.exchanged,
                                   &step_.exchanged_lse, &step_.combined, &step_.combined_lse}) {
    memory_.fill(tensor->data, kNan, bytes_of(*tensor));
  }
}

}  // namespace helixcheck::bench
