// The data families of `core`, one function each.

#include "generate/core_values.hpp"

#include <algorithm>
#include <cmath>

#include "mla/formats.hpp"
#include "scenario/ownership.hpp"
#include "scenario/script.hpp"

namespace helixcheck {
namespace {

const double kUnitVarianceBound = std::sqrt(3.0);  // U[-sqrt 3, sqrt 3) has variance 1
constexpr double kHotKey = 64.0;                   // exact in every format
constexpr double kHotScore = 512.0;                // far above the 104 at which fp32 exp vanishes
constexpr std::int64_t kSampledKeys = 1024;        // keys that estimate the rest of a softmax

double dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

void round_all(Dtype dtype, std::span<double> values) {
  for (double& value : values) value = round_to(dtype, value);
}

}  // namespace

CoreValues::CoreValues(const Scenario& scenario, const RopeTable& rope)
    : scenario_(scenario),
      softmax_scale_(rope.softmax_scale),
      width_(scenario.problem.kv_lora_rank + scenario.problem.qk_rope_head_dim) {
  const Data& data = scenario.problem.data;
  query_bound_ = kUnitVarianceBound * data.logit_gain * kLogitStd /
                 (softmax_scale_ * std::sqrt(static_cast<double>(width_)));
  if (data.family == Family::shard_constant) {
    Roster roster(scenario.problem);
    for (const Step& step : expand_script(scenario)) roster.apply(step);
    for (const Roster::Request& r : roster.requests()) prompt_len_.push_back(r.prompt_len);
  }
  const std::vector<std::int64_t>& lengths = scenario.problem.ctx_len;
  for (std::size_t request = 0; request < lengths.size(); ++request) {
    for (const HeavyKey& key : data.heavy) {
      const std::int64_t index = place_index(key, lengths[request]);
      if (index >= 0) plant(static_cast<std::int64_t>(request), key, index);
    }
  }
}

std::int64_t CoreValues::owner(std::int64_t request, std::int64_t index) const {
  return owner_of(scenario_.layout, index, prompt_len_[static_cast<std::size_t>(request)]);
}

// -1 where the place does not exist, as the first key of an empty shard.
std::int64_t CoreValues::place_index(const HeavyKey& key, std::int64_t prompt_len) const {
  const Layout& layout = scenario_.layout;
  const std::int64_t page = layout.kv_cache_tokens_per_block;
  const auto owned = [&](std::int64_t local) {
    return nth_owned_prompt(layout, key.kvp_rank, local, prompt_len);
  };
  const std::int64_t last = owned_count(layout, key.kvp_rank, prompt_len, prompt_len) - 1;
  switch (key.place) {
    case HeavyPlace::key_zero: return 0;
    case HeavyPlace::newest: return prompt_len;
    case HeavyPlace::shard_first: return owned(0);
    case HeavyPlace::shard_last: return owned(last);
    case HeavyPlace::page_first: return owned(last >= page ? page : 0);
    case HeavyPlace::page_last: return owned(std::min(page - 1, last));
  }
  return -1;
}

// Replaces the key at `index` by its own part orthogonal to the head's query plus the multiple of
// that query that gives it the wanted share. The target score is rounded to 1/64, so that the last
// bits of a mathematical library do not reach the case.
void CoreValues::plant(std::int64_t request, const HeavyKey& key, std::int64_t index) {
  if (planted_.count({request, index}) != 0) return;  // the first key listed for a token wins
  std::vector<double> query(static_cast<std::size_t>(width_));
  planted_query(request, key.head, query);
  round_all(scenario_.problem.dtype, query);
  const double norm = dot(query, query);
  if (norm == 0) return;
  std::vector<double> row(static_cast<std::size_t>(width_));
  uniform_latent({request, index}, row);
  const double wanted = rest_lse(request, index, query) + std::log(key.mass / (1 - key.mass));
  const double target = std::round(wanted * 64) / 64;
  const double step = (target / softmax_scale_ - dot(query, row)) / norm;
  for (std::size_t i = 0; i < row.size(); ++i) row[i] += step * query[i];
  planted_.emplace(std::pair{request, index}, std::move(row));
}

// Natural log of the sum of exp(score) over the prompt's other keys, estimated from evenly spaced
// ones where there are many.
double CoreValues::rest_lse(std::int64_t request, std::int64_t skip,
                            std::span<const double> query) const {
  const std::int64_t length = scenario_.problem.ctx_len[static_cast<std::size_t>(request)];
  const std::int64_t sampled = std::min(length, kSampledKeys);
  std::vector<double> row(static_cast<std::size_t>(width_));
  std::vector<double> scores;
  for (std::int64_t i = 0; i < sampled; ++i) {
    const std::int64_t index = i * length / sampled;
    if (index == skip) continue;
    const auto planted = planted_.find({request, index});
    if (planted == planted_.end()) uniform_latent({request, index}, row);
    scores.push_back(softmax_scale_ *
                     dot(query, planted == planted_.end() ? row : planted->second));
  }
  if (scores.empty()) return 0;
  const double top = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (const double score : scores) sum += std::exp(score - top);
  return top + std::log(sum * static_cast<double>(length) / static_cast<double>(scores.size()));
}

void CoreValues::latent(Token token, std::int64_t index, std::span<double> out) const {
  switch (scenario_.problem.data.family) {
    case Family::uniform: {
      const auto planted = planted_.find({token.request, token.draw});
      if (planted == planted_.end()) return uniform_latent(token, out);
      std::copy(planted->second.begin(), planted->second.end(), out.begin());
      return;
    }
    case Family::constant: {  // the same latent for every key; scores still differ through k_pe
      uniform_latent(token, out);
      const auto latent = static_cast<std::size_t>(scenario_.problem.kv_lora_rank);
      return uniform_latent({token.request, 0}, out.first(latent));
    }
    case Family::shard_constant: {
      uniform_latent(token, out);
      const std::int64_t rank = owner(token.request, index);
      const auto latent = static_cast<std::size_t>(scenario_.problem.kv_lora_rank);
      std::fill_n(out.begin(), latent, std::exp2(rank % 8));
      return;
    }
    case Family::integers:
      return draw_integers(
          {scenario_.problem.data.seed, TensorId::latent, token.request, token.draw}, 2, out);
    case Family::one_hot: return one_hot_latent(token, index, out);
    case Family::null_test: return null_latent(token.request, index, out);
  }
}

void CoreValues::query(const Row& row, std::int64_t head, std::span<double> out) const {
  const Data& data = scenario_.problem.data;
  const std::int64_t lane = row.token.draw * scenario_.problem.num_heads + head;
  const Stream stream{data.seed, TensorId::query, row.token.request, lane};
  switch (data.family) {
    case Family::uniform:
      for (const HeavyKey& key : data.heavy) {
        if (key.head == head) return planted_query(row.request, head, out);
      }
      return draw_uniform(stream, 0, query_bound_, out);
    case Family::constant:
    case Family::shard_constant: return draw_uniform(stream, 0, query_bound_, out);
    case Family::integers: return draw_integers(stream, 2, out);
    case Family::one_hot: {
      std::fill(out.begin(), out.end(), 0.0);
      out.back() = std::exp2(std::ceil(std::log2(kHotScore / (softmax_scale_ * kHotKey))));
      return;
    }
    case Family::null_test: return std::fill(out.begin(), out.end(), 0.0);
  }
}

void CoreValues::uniform_latent(Token token, std::span<double> out) const {
  draw_uniform({scenario_.problem.data.seed, TensorId::latent, token.request, token.draw}, 0,
               kUnitVarianceBound, out);
}

// A head that owns a planted key asks the same question in every row of a request, or the key would
// be heavy for one row only.
void CoreValues::planted_query(std::int64_t request, std::int64_t head,
                               std::span<double> out) const {
  draw_uniform({scenario_.problem.data.seed, TensorId::planted_query, request, head}, 0,
               query_bound_, out);
}

std::int64_t CoreValues::hot_index(std::int64_t request) const {
  const auto& lengths = scenario_.problem.ctx_len;
  if (request >= std::ssize(lengths)) return -1;  // a fork: its own tokens hold no hot key
  const auto choices = static_cast<std::uint64_t>(lengths[static_cast<std::size_t>(request)] + 1);
  const std::uint64_t word =
      draw_word({scenario_.problem.data.seed, TensorId::hot_index, request, 0});
  return static_cast<std::int64_t>((word * choices) >> 32);
}

// The last coordinate alone decides the scores: one key has it, all others do not.
void CoreValues::one_hot_latent(Token token, std::int64_t index, std::span<double> out) const {
  uniform_latent(token, out);
  out.back() = index == hot_index(token.request) ? kHotKey : 0.0;
}

// Queries are zero, so every weight is equal. Neighbours on a shard cancel: +c and -c with c in
// {+1, -1}^R times kv_scale. A prompt key without a neighbour and every generated key are zero.
void CoreValues::null_latent(std::int64_t request, std::int64_t index,
                             std::span<double> out) const {
  const Problem& problem = scenario_.problem;
  const Layout& layout = scenario_.layout;
  std::fill(out.begin(), out.end(), 0.0);
  if (request >= std::ssize(problem.ctx_len)) return;
  const std::int64_t prompt_len = problem.ctx_len[static_cast<std::size_t>(request)];
  if (index >= prompt_len) return;
  const std::int64_t rank = owner_of(layout, index, prompt_len);
  const std::int64_t local = owned_count(layout, rank, index, prompt_len);
  const std::int64_t owned = owned_count(layout, rank, prompt_len, prompt_len);
  if ((local ^ 1) >= owned) return;
  const std::int64_t first =
      local % 2 == 0 ? index : nth_owned_prompt(layout, rank, local - 1, prompt_len);
  draw_uniform({problem.data.seed, TensorId::pair_sign, request, first}, 0, 1, out);
  const double sign = local % 2 == 0 ? problem.kv_scale : -problem.kv_scale;
  const auto latent = static_cast<std::size_t>(problem.kv_lora_rank);
  for (double& value : out.first(latent)) value = value < 0 ? -sign : sign;
}

}  // namespace helixcheck
