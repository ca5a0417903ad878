// The data families of `core`, one function each.

#include "generate/core_values.hpp"

#include <algorithm>
#include <cmath>

#include "generate/draw.hpp"
#include "mla/formats.hpp"
#include "scenario/ownership.hpp"
#include "scenario/script.hpp"

namespace helixcheck {
namespace {

constexpr double kHotKey = 64.0;     // exact in every format
constexpr double kHotScore = 512.0;  // far above the 104 at which fp32 exp vanishes

// Half width of the queries that give scores a standard deviation of kLogitStd. Where values carry
// shard numbers instead of scores, the roped part alone makes them.
double bound_of_queries(const Problem& problem, double softmax_scale) {
  const bool roped_only = problem.data.family == Family::shard_constant;
  const std::int64_t terms = problem.qk_rope_head_dim + (roped_only ? 0 : problem.kv_lora_rank);
  return kUnitVarianceBound * problem.data.logit_gain * kLogitStd /
         (softmax_scale * std::sqrt(static_cast<double>(terms)));
}

}  // namespace

CoreValues::CoreValues(const Scenario& scenario, const RopeTable& rope)
    : scenario_(scenario),
      softmax_scale_(rope.softmax_scale),
      query_bound_(bound_of_queries(scenario.problem, rope.softmax_scale)),
      heavy_(scenario, rope, query_bound_) {
  const Data& data = scenario.problem.data;
  if (data.lse_gap != 0) split_gap();
  if (data.family == Family::shard_constant || data.lse_gap != 0) {
    Roster roster(scenario.problem);
    for (const Step& step : expand_script(scenario)) roster.apply(step);
    for (const Roster::Request& r : roster.requests()) prompt_len_.push_back(r.prompt_len);
  }
}

// The gap is scale * gap_query_ * gap_key_ for each rank. The key's part is a power of two, so that
// its multiples are exact in most formats; the last rank's is about as large as the query's, as far
// as the cache's format reaches.
void CoreValues::split_gap() {
  const Problem& p = scenario_.problem;
  const double steps = static_cast<double>(std::max<std::int64_t>(scenario_.layout.kvp - 1, 1));
  const double product = std::abs(p.data.lse_gap) * steps / softmax_scale_;
  const double room = traits(p.kv_cache_dtype).max_finite * p.kv_scale / 2;
  const double largest = std::min(std::sqrt(product), room);
  gap_key_ = std::exp2(std::floor(std::log2(largest / steps)));
  const double wanted = p.data.lse_gap / (softmax_scale_ * gap_key_);
  const double most = traits(p.dtype).max_finite / 2;
  gap_query_ = std::clamp(wanted, -most, most);
}

std::int64_t CoreValues::owner(std::int64_t request, std::int64_t index) const {
  return owner_of(scenario_.layout, index, prompt_len_[static_cast<std::size_t>(request)]);
}

void CoreValues::latent(Token token, std::int64_t index, std::span<double> out) const {
  draw_family(token, index, out);
  if (scenario_.problem.data.lse_gap == 0) return;
  out.back() = gap_key_ * static_cast<double>(owner(token.request, index));
}

void CoreValues::draw_family(Token token, std::int64_t index, std::span<double> out) const {
  const Problem& p = scenario_.problem;
  const auto values = out.first(static_cast<std::size_t>(p.kv_lora_rank));
  switch (p.data.family) {
    case Family::uniform: {
      const std::vector<double>* planted = heavy_.row(token.request, token.draw);
      if (planted == nullptr) return draw_key(p, token, out);
      std::copy(planted->begin(), planted->end(), out.begin());
      return;
    }
    case Family::constant:  // the same latent for every key; scores still differ through k_pe
      draw_key(p, token, out);
      return draw_key(p, {token.request, 0}, values);
    case Family::shard_constant:
      draw_key(p, token, out);
      return std::fill(values.begin(), values.end(),
                       p.kv_scale * std::exp2(owner(token.request, index) % 8));
    case Family::integers:
      return draw_integers(
          {p.data.seed, TensorId::latent, drawn_as(p.data, token.request), token.draw}, 2, out);
    case Family::one_hot: return one_hot_latent(token, index, out);
    case Family::null_test: return null_latent(token.request, index, out);
  }
}

void CoreValues::query(const Row& row, std::int64_t head, std::span<double> out) const {
  const Data& data = scenario_.problem.data;
  const std::int64_t lane = row.token.draw * scenario_.problem.num_heads + head;
  const Stream stream{data.seed, TensorId::query, drawn_as(data, row.token.request), lane};
  switch (data.family) {
    case Family::uniform:
      if (heavy_.sees_one(head)) return heavy_.query(row.request, head, out);
      draw_uniform(stream, 0, query_bound_, out);
      break;
    case Family::constant: draw_uniform(stream, 0, query_bound_, out); break;
    case Family::shard_constant:
      draw_uniform(stream, 0, query_bound_, out);
      std::fill_n(out.begin(), scenario_.problem.kv_lora_rank, 0.0);
      break;
    case Family::integers: return draw_integers(stream, 2, out);
    case Family::one_hot:
      std::fill(out.begin(), out.end(), 0.0);
      out.back() = std::exp2(std::ceil(std::log2(kHotScore / (softmax_scale_ * kHotKey))));
      return;
    case Family::null_test: return std::fill(out.begin(), out.end(), 0.0);
  }
  if (data.lse_gap != 0) out.back() = gap_query_;
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
  draw_key(scenario_.problem, token, out);
  out.back() = index == hot_index(token.request) ? kHotKey : 0.0;
}

// Queries are zero, so every weight is equal. Neighbours on a shard cancel: +c and -c with c in
// {+1, -1}^R times kv_scale; roped parts are zero, or no sum over keys would be exact. A prompt key
// without a neighbour and every generated key are zero.
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
  const auto values = out.first(static_cast<std::size_t>(problem.kv_lora_rank));
  draw_uniform({problem.data.seed, TensorId::pair_sign, request, first}, 0, 1, values);
  const double sign = local % 2 == 0 ? problem.kv_scale : -problem.kv_scale;
  for (double& value : values) value = value < 0 ? -sign : sign;
}

}  // namespace helixcheck
