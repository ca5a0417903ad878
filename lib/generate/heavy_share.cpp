// Reads the case as every subject does, and knows nothing of how keys are planted.

#include "generate/heavy_share.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "generate/heavy_keys.hpp"
#include "mla/formats.hpp"

namespace helixcheck {
namespace {

constexpr std::int64_t kChunk = 256;  // keys read at once

std::int64_t width_of(const Problem& p) {
  return p.kv_lora_rank + p.qk_rope_head_dim;
}

// Query of one head at the first decode row, widened.
std::vector<double> first_query(const Inputs& inputs, std::int64_t request, std::int64_t head) {
  const Problem& p = inputs.problem();
  const std::int64_t length = p.ctx_len[static_cast<std::size_t>(request)];
  Tensor codes(p.dtype, {p.num_heads, width_of(p)});
  inputs.query(Row{request, 0, length, Token{request, length}}, codes.bytes.data());
  const std::vector<double> all = widen(codes);
  const auto begin = all.begin() + head * width_of(p);
  return {begin, begin + width_of(p)};
}

// Scaled scores of the prompt's keys and the row's own.
std::vector<double> first_scores(const Inputs& inputs, std::int64_t request,
                                 const std::vector<double>& query) {
  const Problem& p = inputs.problem();
  const std::int64_t keys = p.ctx_len[static_cast<std::size_t>(request)] + 1;
  std::vector<double> scores;
  for (std::int64_t first = 0; first < keys; first += kChunk) {
    const std::int64_t count = std::min(kChunk, keys - first);
    Tensor codes(p.dtype, {count, width_of(p)});
    inputs.latent({request, first}, first, count, codes.bytes.data());
    std::vector<double> rows = widen(codes);
    for (double& x : rows) x = round_to(p.kv_cache_dtype, x / p.kv_scale) * p.kv_scale;
    for (auto row = rows.begin(); row != rows.end(); row += width_of(p)) {
      scores.push_back(inputs.rope().softmax_scale *
                       std::inner_product(query.begin(), query.end(), row, 0.0));
    }
  }
  return scores;
}

}  // namespace

std::vector<HeavyShare> heavy_shares(const Inputs& inputs) {
  std::vector<HeavyShare> shares;
  for (const HeavyToken& token : heavy_tokens(inputs.scenario())) {
    const HeavyKey& key = inputs.problem().data.heavy[token.key];
    const std::vector<double> scores =
        first_scores(inputs, token.request, first_query(inputs, token.request, key.head));
    const double top = *std::max_element(scores.begin(), scores.end());
    double sum = 0;
    for (const double score : scores) sum += std::exp(score - top);
    const double own = std::exp(scores[static_cast<std::size_t>(token.index)] - top);
    shares.push_back({token.request, token.key, token.index, own / sum});
  }
  return shares;
}

}  // namespace helixcheck
