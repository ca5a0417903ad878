// Multi-head Latent Attention from its definition, one token and one head at a time.
//
//   q       = Wq x, or Wqb norm(Wqa x)                  per head [q_nope (N) | q_pe (P)]
//   [c | k] = Wkva x;  c = norm(c);  k_pe = rope(k)     shared by all heads
//   [k_nope | v] = Wkvb c                               per head
//   score(t) = scale (q_nope . k_nope(t) + rope(q_pe) . k_pe(t))
//   out      = sum_t softmax(score)(t) v(t);  y = Wo [out of head 0 | out of head 1 | ...]

#include "mla/reference.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "mla/formats.hpp"

namespace helixcheck {
namespace {

using Vector = std::vector<double>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::size_t to_size(std::int64_t value) {
  return static_cast<std::size_t>(value);
}

// Part i of a vector of parts of length n.
std::span<const double> part(std::span<const double> x, std::size_t i, std::size_t n) {
  return x.subspan(i * n, n);
}

double dot(std::span<const double> a, std::span<const double> b) {
  assert(a.size() == b.size());
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// y += a x
void add_scaled(double a, std::span<const double> x, std::span<double> y) {
  assert(x.size() == y.size());
  for (std::size_t i = 0; i < x.size(); ++i) y[i] += a * x[i];
}

// W x for W [out, x.size()].
Vector multiply(std::span<const double> matrix, std::span<const double> x) {
  Vector y(matrix.size() / x.size());
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = dot(part(matrix, i, x.size()), x);
  return y;
}

Vector rms_norm(std::span<const double> x, std::span<const double> weight, double eps) {
  const double mean_square = dot(x, x) / static_cast<double>(x.size());
  Vector y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] / std::sqrt(mean_square + eps) * weight[i];
  return y;
}

// Weights exp(x) / sum(exp(x)), and the log of that sum. A weight is 0 where x is -inf.
struct Softmax {
  Vector weights;
  double lse = -kInfinity;
};

Softmax softmax(std::span<const double> x) {
  Softmax result{Vector(x.size())};
  const double max = *std::max_element(x.begin(), x.end());
  if (max == -kInfinity) return result;
  double sum = 0;
  for (const double value : x) sum += std::exp(value - max);
  for (std::size_t i = 0; i < x.size(); ++i) result.weights[i] = std::exp(x[i] - max) / sum;
  result.lse = max + std::log(sum);
  return result;
}

void append(std::span<const double> values, Vector& to) {
  to.insert(to.end(), values.begin(), values.end());
}

}  // namespace

Reference::Reference(const Inputs& inputs) : inputs_(inputs), problem_(inputs.problem()) {
  if (problem_.entry != Entry::layer) return;
  const Weights& w = inputs.weights();
  weights_.q_a = widen(w.q_a);
  weights_.q_a_norm = widen(w.q_a_norm);
  weights_.q_b = widen(w.q_b);
  weights_.kv_a = widen(w.kv_a);
  weights_.kv_a_norm = widen(w.kv_a_norm);
  weights_.kv_b = widen(w.kv_b);
  weights_.o = widen(w.o);
}

StepResult Reference::step(const History& history, std::span<const Row> rows) {
  StepResult result;
  for (const Row& row : rows) {
    const RequestState& request = history.request(row.request);
    std::vector<const Key*> visible;
    for (std::int64_t index = 0; index <= row.index; ++index) {
      visible.push_back(&key(request, index));
    }
    const bool layer = problem_.entry == Entry::layer;
    const Attention attention = attend(layer ? query(row) : given_query(row), visible);
    append(attention.lse, result.lse);
    if (layer) {
      append(multiply(weights_.o, attention.out), result.output);
    } else {
      append(attention.out, result.combined);
    }
  }
  return result;
}

Reference::Attention Reference::attend(std::span<const double> query,
                                       std::span<const Key* const> keys) const {
  const bool core = problem_.entry == Entry::core;
  const std::size_t rope_dim = to_size(problem_.qk_rope_head_dim);
  const std::size_t nope_dim = to_size(core ? problem_.kv_lora_rank : problem_.qk_nope_head_dim);
  const std::size_t value_dim = to_size(core ? problem_.kv_lora_rank : problem_.v_head_dim);
  Attention result;
  for (std::size_t head = 0; head < to_size(problem_.num_heads); ++head) {
    const std::size_t key_head = core ? 0 : head;
    const auto q = part(query, head, nope_dim + rope_dim);
    Vector scores;
    for (const Key* key : keys) {
      const double nope_score = dot(q.first(nope_dim), part(key->k_nope, key_head, nope_dim));
      const double rope_score = dot(q.last(rope_dim), key->k_pe);
      scores.push_back(inputs_.rope().softmax_scale * (nope_score + rope_score));
    }
    const Softmax p = softmax(scores);
    Vector out(value_dim);
    for (std::size_t t = 0; t < keys.size(); ++t) {
      add_scaled(p.weights[t], part(keys[t]->v, key_head, value_dim), out);
    }
    append(out, result.out);
    result.lse.push_back(p.lse);
  }
  return result;
}

Reference::Vector Reference::query(const Row& row) const {
  Vector x = hidden_state(row.token);
  if (problem_.q_lora_rank > 0) {
    x = rms_norm(multiply(weights_.q_a, x), weights_.q_a_norm, problem_.rms_norm_eps);
  }
  Vector q = multiply(weights_.q_b, x);
  const std::size_t head_dim = q.size() / to_size(problem_.num_heads);
  for (std::size_t end = head_dim; end <= q.size(); end += head_dim) {
    rope(std::span(q).first(end).last(to_size(problem_.qk_rope_head_dim)), row.index);
  }
  return q;
}

Reference::Vector Reference::given_query(const Row& row) const {
  const std::int64_t head_dim = problem_.kv_lora_rank + problem_.qk_rope_head_dim;
  Tensor query(problem_.dtype, {problem_.num_heads, head_dim});
  inputs_.query(row, query.bytes.data());
  return widen(query);
}

const Reference::Key& Reference::key(const RequestState& request, std::int64_t index) {
  const Token token = request.tokens.at(index);
  const auto [place, is_new] = keys_.try_emplace({token.request, token.draw});
  if (is_new) {
    const bool given = problem_.entry == Entry::core ||
                       (problem_.prompt == Prompt::given && index < request.prompt_len);
    place->second = make_key(given ? given_cache_row(token, index) : cache_row(token, index));
  }
  return place->second;
}

Reference::Vector Reference::cache_row(Token token, std::int64_t index) const {
  Vector row = multiply(weights_.kv_a, hidden_state(token));
  const auto latent = std::span(row).first(to_size(problem_.kv_lora_rank));
  const Vector normed = rms_norm(latent, weights_.kv_a_norm, problem_.rms_norm_eps);
  std::copy(normed.begin(), normed.end(), latent.begin());
  rope(std::span(row).subspan(latent.size()), index);
  return row;
}

Reference::Vector Reference::given_cache_row(Token token, std::int64_t index) const {
  Tensor given(problem_.dtype, {problem_.kv_lora_rank + problem_.qk_rope_head_dim});
  inputs_.latent(token, index, 1, given.bytes.data());
  Vector row = widen(given);
  for (double& x : row) {
    x = round_to(problem_.kv_cache_dtype, x / problem_.kv_scale) * problem_.kv_scale;
  }
  return row;
}

Reference::Key Reference::make_key(std::span<const double> cache_row) const {
  const auto latent = cache_row.first(to_size(problem_.kv_lora_rank));
  Key key;
  append(cache_row.subspan(latent.size()), key.k_pe);
  if (problem_.entry == Entry::core) {
    append(latent, key.k_nope);
    append(latent, key.v);
    return key;
  }
  const Vector kv = multiply(weights_.kv_b, latent);
  const std::size_t nope_dim = to_size(problem_.qk_nope_head_dim);
  const std::size_t value_dim = to_size(problem_.v_head_dim);
  for (std::size_t head = 0; head < to_size(problem_.num_heads); ++head) {
    const auto k_and_v = part(kv, head, nope_dim + value_dim);
    append(k_and_v.first(nope_dim), key.k_nope);
    append(k_and_v.last(value_dim), key.v);
  }
  return key;
}

Reference::Vector Reference::hidden_state(Token token) const {
  Tensor state(problem_.dtype, {problem_.hidden_size});
  inputs_.hidden(token, 1, state.bytes.data());
  return widen(state);
}

void Reference::rope(std::span<double> x, std::int64_t index) const {
  const RopeTable& table = inputs_.rope();
  const auto position = static_cast<double>(problem_.position_base + index);
  const std::size_t pairs = x.size() / 2;
  for (std::size_t j = 0; j < pairs; ++j) {
    double& a = x[problem_.rope_interleave ? 2 * j : j];
    double& b = x[problem_.rope_interleave ? 2 * j + 1 : j + pairs];
    const double angle = position * table.inv_freq[j];
    const double cos = table.cos_scale * std::cos(angle);
    const double sin = table.cos_scale * std::sin(angle);
    const double rotated_a = a * cos - b * sin;
    b = a * sin + b * cos;
    a = rotated_a;
  }
}

StepResult merge_reference(const Inputs& inputs) {
  const Partials partials = inputs.partials();
  const Vector o = widen(partials.o);
  const Vector lse = widen(partials.lse);
  const std::size_t parts = to_size(partials.o.shape[0]);
  const std::size_t latent = to_size(partials.o.shape[3]);
  const std::size_t lanes = lse.size() / parts;  // (row, head) pairs
  StepResult result;
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    Vector lane_lse;
    for (std::size_t c = 0; c < parts; ++c) lane_lse.push_back(lse[c * lanes + lane]);
    const Softmax share = softmax(lane_lse);
    Vector merged(latent);
    for (std::size_t c = 0; c < parts; ++c) {
      if (lane_lse[c] == -kInfinity) continue;  // what an empty partial holds is undefined
      add_scaled(share.weights[c], part(o, c * lanes + lane, latent), merged);
    }
    append(merged, result.combined);
    result.lse.push_back(share.lse);
  }
  return result;
}

}  // namespace helixcheck
