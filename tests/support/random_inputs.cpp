// Values by hashing. See random_inputs.hpp.

#include "support/random_inputs.hpp"

#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "mla/formats.hpp"
#include "support/hash.hpp"

namespace helixcheck {
namespace {

enum Stream : std::uint64_t {
  kHidden,
  kLatent,
  kQuery,
  kPartialO,
  kPartialLse,
  kQA,
  kQANorm,
  kQB,
  kKvA,
  kKvANorm,
  kKvB,
  kO
};

// Gain of weights [out, in] that keeps unit-variance inputs at unit variance.
double unit_gain(std::int64_t in) {
  return std::sqrt(3.0 / static_cast<double>(in));
}

}  // namespace

RandomInputs::RandomInputs(Scenario scenario)
    : scenario_(std::move(scenario)), rope_(resolve_rope(scenario_.problem)) {
  const Problem& p = problem();
  if (p.entry != Entry::layer) return;
  const std::int64_t q_out = p.num_heads * (p.qk_nope_head_dim + p.qk_rope_head_dim);
  const std::int64_t q_in = p.q_lora_rank > 0 ? p.q_lora_rank : p.hidden_size;
  const std::int64_t v_dim = p.num_heads * p.v_head_dim;
  const std::int64_t kv_out = p.num_heads * p.qk_nope_head_dim + v_dim;
  const std::int64_t width = p.kv_lora_rank + p.qk_rope_head_dim;
  if (p.q_lora_rank > 0) {
    weights_.q_a = weight(kQA, {p.q_lora_rank, p.hidden_size}, unit_gain(p.hidden_size));
    weights_.q_a_norm = weight(kQANorm, {p.q_lora_rank}, 1.5);
  }
  weights_.q_b = weight(kQB, {q_out, q_in}, 2 * unit_gain(q_in));
  weights_.kv_a = weight(kKvA, {width, p.hidden_size}, unit_gain(p.hidden_size));
  weights_.kv_a_norm = weight(kKvANorm, {p.kv_lora_rank}, 1.5);
  weights_.kv_b = weight(kKvB, {kv_out, p.kv_lora_rank}, unit_gain(p.kv_lora_rank));
  weights_.o = weight(kO, {p.hidden_size, v_dim}, unit_gain(v_dim));
}

void RandomInputs::hidden(Token first, std::int64_t count, std::byte* out) const {
  const std::int64_t size = problem().hidden_size;
  for (std::int64_t t = 0; t < count; ++t) {
    fill(kHidden, first.request, first.draw + t, size, 1.7,
         out + static_cast<std::size_t>(t * size) * size_of(problem().dtype));
  }
}

void RandomInputs::latent(Token first, std::int64_t /*index*/, std::int64_t count,
                          std::byte* out) const {
  const std::int64_t size = problem().kv_lora_rank + problem().qk_rope_head_dim;
  for (std::int64_t t = 0; t < count; ++t) {
    fill(kLatent, first.request, first.draw + t, size, 1.7,
         out + static_cast<std::size_t>(t * size) * size_of(problem().dtype));
  }
}

void RandomInputs::query(const Row& row, std::byte* out) const {
  const std::int64_t size = problem().kv_lora_rank + problem().qk_rope_head_dim;
  fill(kQuery, row.token.request, row.token.draw, problem().num_heads * size,
       1.7 * problem().data.logit_gain, out);
}

Partials RandomInputs::partials() const {
  const Problem& p = problem();
  const std::int64_t lanes = scenario_.layout.kvp * p.batch() * p.num_heads;
  Partials partials;
  partials.o = Tensor(p.dtype, {scenario_.layout.kvp, p.batch(), p.num_heads, p.kv_lora_rank});
  partials.lse = Tensor(Dtype::fp32, {scenario_.layout.kvp, p.batch(), p.num_heads});
  fill(kPartialO, 0, 0, partials.o.elements(), 1.7, partials.o.bytes.data());
  for (std::int64_t lane = 0; lane < lanes; ++lane) {
    const double draw = hash_uniform({p.data.seed, kPartialLse, 0, 0, as_word(lane)});
    const bool empty = draw < -0.5;
    const double lse = empty ? -std::numeric_limits<double>::infinity() : 4.0 * draw;
    store_code(Dtype::fp32, partials.lse.bytes.data(), lane, encode(Dtype::fp32, lse));
    for (std::int64_t j = 0; empty && j < p.kv_lora_rank; ++j) {
      store_code(p.dtype, partials.o.bytes.data(), lane * p.kv_lora_rank + j,
                 encode(p.dtype, std::numeric_limits<double>::quiet_NaN()));
    }
  }
  return partials;
}

void RandomInputs::fill(std::uint64_t stream, std::int64_t a, std::int64_t b, std::int64_t count,
                        double gain, std::byte* out) const {
  for (std::int64_t i = 0; i < count; ++i) {
    const double value =
        gain * hash_uniform({problem().data.seed, stream, as_word(a), as_word(b), as_word(i)});
    store_code(problem().dtype, out, i, encode(problem().dtype, value));
  }
}

Tensor RandomInputs::weight(std::uint64_t stream, std::vector<std::int64_t> shape,
                            double gain) const {
  Tensor tensor(problem().dtype, std::move(shape));
  fill(stream, 0, 0, tensor.elements(), gain, tensor.bytes.data());
  return tensor;
}

}  // namespace helixcheck
