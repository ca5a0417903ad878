// Weights are drawn once, row by row; activations on demand.

#include "generate/case.hpp"

#include <array>
#include <cmath>
#include <limits>

#include "generate/draw.hpp"
#include "generate/tensor_inputs.hpp"
#include "mla/formats.hpp"

namespace helixcheck {
namespace {

// kaiming_uniform_ with a = 0: U(-b, b), b = sqrt(6 / fan_in).
double kaiming(std::int64_t fan_in) {
  return std::sqrt(6.0 / static_cast<double>(fan_in));
}

struct WeightDraw {
  std::uint64_t seed;
  Dtype dtype;

  Tensor vector(TensorId id, std::int64_t size) const {  // norm weights
    Tensor tensor(dtype, {size});
    draw_uniform({seed, id, 0, 0}, 1.0, 0.1, dtype, size, tensor.bytes.data());
    return tensor;
  }
  // `bound_of(row)` gives the bound of one output row.
  template <typename Bound>
  Tensor matrix(TensorId id, std::int64_t out, std::int64_t in, Bound bound_of) const {
    Tensor tensor(dtype, {out, in});
    const std::int64_t row_bytes = in * static_cast<std::int64_t>(size_of(dtype));
    for (std::int64_t row = 0; row < out; ++row) {
      draw_uniform({seed, id, 0, row}, 0.0, bound_of(row), dtype, in,
                   tensor.bytes.data() + row * row_bytes);
    }
    return tensor;
  }
};

// LSEs of a merge case spread over +-4 times the gain; one partial in four is empty.
constexpr double kMergeLseBound = 4.0;
constexpr std::uint32_t kEmptyBelow = 0x40000000u;
// Whole nats that a (max, sum) pair may keep in either of its halves.
constexpr int kMaxGauge = 6;

}  // namespace

DrawnCase::DrawnCase(const Scenario& scenario)
    : scenario_(scenario), rope_(resolve_rope(scenario.problem)) {
  if (scenario_.problem.entry == Entry::layer) draw_weights();
  if (scenario_.problem.entry != Entry::merge) core_.emplace(scenario_, rope_);
}

void DrawnCase::draw_weights() {
  const Problem& p = scenario_.problem;
  const WeightDraw draw{p.data.seed, p.dtype};
  const std::int64_t query_width = p.num_heads * (p.qk_nope_head_dim + p.qk_rope_head_dim);
  const std::int64_t query_in = p.q_lora_rank > 0 ? p.q_lora_rank : p.hidden_size;
  const std::int64_t head_rows = p.qk_nope_head_dim + p.v_head_dim;
  const auto plain = [](std::int64_t fan_in) {
    return [bound = kaiming(fan_in)](std::int64_t) { return bound; };
  };
  if (p.q_lora_rank > 0) {
    weights_.q_a = draw.matrix(TensorId::q_a, p.q_lora_rank, p.hidden_size, plain(p.hidden_size));
    weights_.q_a_norm = draw.vector(TensorId::q_a_norm, p.q_lora_rank);
  }
  weights_.q_b = draw.matrix(TensorId::q_b, query_width, query_in,
                             [&](std::int64_t) { return p.data.logit_gain * kaiming(query_in); });
  weights_.kv_a =
      draw.matrix(TensorId::kv_a, p.kv_lora_rank + p.qk_rope_head_dim, p.hidden_size,
                  [&](std::int64_t row) {  // k_pe is not normed, so its gain reaches the cache
                    return kaiming(p.hidden_size) * (row < p.kv_lora_rank ? 1 : p.data.k_pe_gain);
                  });
  weights_.kv_a_norm = draw.vector(TensorId::kv_a_norm, p.kv_lora_rank);
  weights_.kv_b =
      draw.matrix(TensorId::kv_b, p.num_heads * head_rows, p.kv_lora_rank, [&](std::int64_t row) {
        const bool value_row = row % head_rows >= p.qk_nope_head_dim;
        return value_row ? 1.0 : kaiming(p.kv_lora_rank);
      });
  weights_.o = draw.matrix(TensorId::o, p.hidden_size, p.num_heads * p.v_head_dim,
                           plain(p.num_heads * p.v_head_dim));
}

void DrawnCase::hidden(Token first, std::int64_t count, std::byte* out) const {
  const Problem& p = scenario_.problem;
  const std::int64_t row_bytes = p.hidden_size * static_cast<std::int64_t>(size_of(p.dtype));
  for (std::int64_t i = 0; i < count; ++i) {
    draw_uniform({p.data.seed, TensorId::hidden, drawn_as(p.data, first.request), first.draw + i},
                 0.0, 1.0, p.dtype, p.hidden_size, out + i * row_bytes);
  }
}

std::optional<DrawnHidden> DrawnCase::drawn_hidden() const {
  const Data& data = scenario_.problem.data;
  return DrawnHidden{data.seed, static_cast<std::uint32_t>(TensorId::hidden), data.equal_requests};
}

void DrawnCase::latent(Token first, std::int64_t index, std::int64_t count, std::byte* out) const {
  const Problem& p = scenario_.problem;
  const std::int64_t width = p.kv_lora_rank + p.qk_rope_head_dim;
  const std::int64_t row_bytes = width * static_cast<std::int64_t>(size_of(p.dtype));
  std::vector<double> row(static_cast<std::size_t>(width));
  for (std::int64_t i = 0; i < count; ++i) {
    core_->latent({first.request, first.draw + i}, index + i, row);
    encode_from(p.dtype, std::span<const double>(row), out + i * row_bytes);
  }
}

void DrawnCase::query(const Row& row, std::byte* out) const {
  const Problem& p = scenario_.problem;
  const std::int64_t width = p.kv_lora_rank + p.qk_rope_head_dim;
  const std::int64_t head_bytes = width * static_cast<std::int64_t>(size_of(p.dtype));
  std::vector<double> values(static_cast<std::size_t>(width));
  for (std::int64_t head = 0; head < p.num_heads; ++head) {
    core_->query(row, head, values);
    encode_from(p.dtype, std::span<const double>(values), out + head * head_bytes);
  }
}

Partials DrawnCase::partials() const {
  const Problem& p = scenario_.problem;
  const std::int64_t parts = scenario_.layout.kvp;
  const std::int64_t lanes = p.batch() * p.num_heads;  // (row, head) pairs
  Partials result{Tensor(p.dtype, {parts, p.batch(), p.num_heads, p.kv_lora_rank}),
                  Tensor(Dtype::fp32, {parts, p.batch(), p.num_heads})};
  const std::int64_t lane_bytes = p.kv_lora_rank * static_cast<std::int64_t>(size_of(p.dtype));
  for (std::int64_t i = 0; i < parts * lanes; ++i) {
    const std::int64_t part = i / lanes;
    const std::int64_t lane = i % (p.data.equal_requests ? p.num_heads : lanes);
    std::byte* values = result.o.bytes.data() + i * lane_bytes;
    double lse = -std::numeric_limits<double>::infinity();
    if (draw_word({p.data.seed, TensorId::merge_empty, part, lane}) < kEmptyBelow) {
      for (std::int64_t j = 0; j < p.kv_lora_rank; ++j) {
        store_code(p.dtype, values, j, encode(p.dtype, std::nan("")));
      }
    } else {
      const std::int64_t source = p.data.family == Family::constant ? 0 : part;
      draw_uniform({p.data.seed, TensorId::merge_o, source, lane}, 0.0, 1.0, p.dtype,
                   p.kv_lora_rank, values);
      std::array<double, 1> drawn;
      draw_uniform({p.data.seed, TensorId::merge_lse, part, lane}, 0.0,
                   kMergeLseBound * p.data.logit_gain, drawn);
      lse = drawn[0];
    }
    store_code(Dtype::fp32, result.lse.bytes.data(), i, encode(Dtype::fp32, lse));
    if (scenario_.layout.lse_form == LseForm::max_sum) {
      const std::uint32_t word = draw_word({p.data.seed, TensorId::merge_gauge, part, lane});
      result.gauge.push_back(static_cast<float>(word % (2 * kMaxGauge + 1)) - kMaxGauge);
    }
  }
  return result;
}

std::unique_ptr<Inputs> make_case(const Scenario& scenario) {
  if (!scenario.problem.data.tensors.empty()) return std::make_unique<TensorInputs>(scenario);
  return std::make_unique<DrawnCase>(scenario);
}

}  // namespace helixcheck
