// Owners follow the definition of ownership: how a prompt got here is no part of the test.

#include "helix/prompt.hpp"

#include <algorithm>
#include <cstring>

#include "mla/formats.hpp"
#include "scenario/ownership.hpp"
#include "subject/views.hpp"

namespace helixcheck {

void PromptFiller::store_given(const RequestState& request) {
  const Problem& problem = scenario_.problem;
  const std::int64_t length = request.prompt_len;
  const std::int64_t width = problem.kv_lora_rank + problem.qk_rope_head_dim;
  const std::int64_t row_bytes = width * static_cast<std::int64_t>(size_of(problem.dtype));
  std::vector<std::byte> rows(static_cast<std::size_t>(std::min(length, chunk_) * row_bytes));
  std::vector<std::int64_t> next(static_cast<std::size_t>(scenario_.layout.kvp), 0);
  for (std::int64_t begin = 0; begin < length; begin += chunk_) {
    const std::int64_t count = std::min(chunk_, length - begin);
    inputs_.latent({request.id, begin}, begin, count, rows.data());
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t owner = owner_of(scenario_.layout, begin + i, length);
      const std::int64_t local = next[static_cast<std::size_t>(owner)]++;
      for (auto& rank : ranks_) {
        if (rank->place().kvp_rank != owner) continue;
        store_row(rank->cache(), request.id, local, rows.data() + i * row_bytes);
        rank->cache().accept(request.id, local, local + 1);
      }
    }
  }
}

void PromptFiller::store_row(PagedCache& cache, std::int64_t request, std::int64_t local,
                             const std::byte* row) {
  const Problem& problem = scenario_.problem;
  std::byte* to = cache.row(request, local);
  if (problem.kv_cache_dtype == problem.dtype) {
    std::memcpy(to, row, static_cast<std::size_t>(cache.row_bytes()));
    return;
  }
  values_.resize(static_cast<std::size_t>(problem.kv_lora_rank + problem.qk_rope_head_dim));
  decode_to(problem.dtype, row, std::span<double>(values_));
  for (double& value : values_) value /= problem.kv_scale;
  encode_from(problem.kv_cache_dtype, std::span<const double>(values_), to);
}

std::int64_t PromptFiller::owned(const RequestState& request, int rank) const {
  return owned_count(scenario_.layout, rank % scenario_.layout.kvp, request.prompt_len,
                     request.prompt_len);
}

std::int64_t PromptFiller::most_owned(const RequestState& request) const {
  std::int64_t most = 0;
  for (int rank = 0; rank < world_.size(); ++rank) most = std::max(most, owned(request, rank));
  return most;
}

std::vector<std::int64_t> PromptFiller::chunk_tokens(const RequestState& request, int rank,
                                                     std::int64_t begin) const {
  const std::int64_t end = std::min(begin + chunk_, owned(request, rank));
  std::vector<std::int64_t> tokens;
  for (std::int64_t local = begin; local < end; ++local) {
    tokens.push_back(
        nth_owned_prompt(scenario_.layout, rank % scenario_.layout.kvp, local, request.prompt_len));
  }
  return tokens;
}

PromptTaps PromptFiller::lay_out_chunk(const RequestState& request, std::int64_t step,
                                       std::int64_t begin) {
  PromptTaps taps;
  taps.step = step;
  taps.request = request.id;
  taps.ranks.resize(static_cast<std::size_t>(world_.size()));
  for (int r = 0; r < world_.size(); ++r) {
    taps.ranks[static_cast<std::size_t>(r)].index = chunk_tokens(request, r, begin);
  }
  hidden_is_drawn_ = can_draw(taps);
  buffers_.begin_step(hidden_is_drawn_);
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    RankState& rank = *ranks_[i];
    const std::vector<std::int64_t>& tokens =
        taps.ranks[static_cast<std::size_t>(world_.first_local()) + i].index;
    rank.begin_step(step, std::ssize(tokens), 0, true);
    fill_hidden(rank, request.id, tokens);
    const std::int64_t page = rank.place().tokens_per_block;
    const hxc_tensor positions = rank.host_tensor(Tap::position);
    const hxc_tensor slots = rank.host_tensor(Tap::slot);
    const std::span<const std::int64_t> table = rank.cache().table(request.id);
    for (std::int64_t row = 0; row < std::ssize(tokens); ++row) {
      const std::int64_t local = begin + row;
      int_at(positions, row) =
          scenario_.problem.position_base + tokens[static_cast<std::size_t>(row)];
      int_at(slots, row) = table[static_cast<std::size_t>(local / page)] * page + local % page;
    }
  }
  return taps;
}

void PromptFiller::read_chunk(const RequestState& request, std::int64_t begin) {
  if (pools_.in_one_piece()) return pools_.download();
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    const std::int64_t all = owned(request, world_.first_local() + static_cast<int>(i));
    ranks_[i]->cache().download(request.id, begin, std::min(begin + chunk_, all));
  }
}

void PromptFiller::accept_chunk(const RequestState& request, std::int64_t begin) {
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    const std::int64_t all = owned(request, world_.first_local() + static_cast<int>(i));
    ranks_[i]->cache().accept(request.id, begin, std::min(begin + chunk_, all));
  }
}

// Where a device makes hidden states, each run of consecutive tokens is a launch: that pays for
// long ones only.
bool PromptFiller::can_draw(const PromptTaps& taps) const {
  constexpr std::int64_t kShortestRun = 64;
  if (!inputs_.drawn_hidden() || !memory_.draw(nullptr, {})) return false;
  std::int64_t tokens = 0, runs = 0;
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    const std::vector<std::int64_t>& index =
        taps.ranks[static_cast<std::size_t>(world_.first_local()) + i].index;
    tokens += std::ssize(index);
    for (std::size_t t = 0; t < index.size(); ++t) runs += t == 0 || index[t] != index[t - 1] + 1;
  }
  return tokens >= kShortestRun * runs;
}

// Consecutive tokens are made in one go.
void PromptFiller::fill_hidden(RankState& rank, std::int64_t request,
                               const std::vector<std::int64_t>& tokens) {
  const Problem& problem = scenario_.problem;
  const std::int64_t row_bytes =
      problem.hidden_size * static_cast<std::int64_t>(size_of(problem.dtype));
  for (std::size_t begin = 0; begin < tokens.size();) {
    std::size_t end = begin + 1;
    while (end < tokens.size() && tokens[end] == tokens[end - 1] + 1) ++end;
    const auto count = static_cast<std::int64_t>(end - begin);
    const std::int64_t place = static_cast<std::int64_t>(begin) * row_bytes;
    if (hidden_is_drawn_) {
      const DrawnHidden drawn = *inputs_.drawn_hidden();
      memory_.draw(static_cast<std::byte*>(rank.step().hidden.data) + place,
                   {drawn.seed, drawn.tensor, drawn.equal_requests ? 0 : request, tokens[begin],
                    count, problem.hidden_size, boundary_dtype(problem.dtype)});
    } else {
      inputs_.hidden({request, tokens[begin]}, count, rank.hidden() + place);
    }
    begin = end;
  }
}

}  // namespace helixcheck
