// Projections in absorbed form: the k_nope half of kv_b is applied to the queries, so that scores
// are dot products with cache rows.

#include "mla/projection.hpp"

#include <algorithm>
#include <utility>

#include "mla/formats.hpp"
#include "mla/matmul.hpp"
#include "mla/row_source.hpp"
#include "mla/stages.hpp"

namespace helixcheck {
namespace {

std::size_t to_size(std::int64_t value) {
  return static_cast<std::size_t>(value);
}

// Normalises each row of x [rows, w.size()].
void norm_rows(std::span<double> x, std::span<const double> w, double eps, std::int64_t stride) {
  for (std::size_t at = 0; at < x.size(); at += to_size(stride)) {
    const std::span<double> row = x.subspan(at, w.size());
    stages::rms_norm(row, w, eps, row);
  }
}

}  // namespace

std::vector<double> project(std::span<const double> x, std::int64_t rows, const Tensor& w) {
  const std::int64_t out = w.shape[0];
  const std::int64_t in = w.shape[1];
  std::vector<double> y(to_size(rows * out));
  multiply_transposed({x.data(), in}, rows, RowSource(w.dtype, w.bytes.data(), in), out,
                      {y.data(), out});
  return y;
}

Projection::Projection(const Inputs& inputs, Store store)
    : inputs_(inputs), problem_(inputs.problem()), store_(std::move(store)) {}

std::vector<double> Projection::queries(std::span<const Row> rows) const {
  if (problem_.entry == Entry::core) return given_queries(rows);
  const std::int64_t heads = problem_.num_heads;
  const std::int64_t latent = problem_.kv_lora_rank;
  const std::int64_t nope = problem_.qk_nope_head_dim;
  const std::int64_t rope = problem_.qk_rope_head_dim;
  const std::int64_t width = latent + rope;
  const auto count = static_cast<std::int64_t>(rows.size());
  const std::vector<double> split = unabsorbed_queries(rows);
  const Tensor& kv_b = inputs_.weights().kv_b;
  const RowSource kv_b_rows(kv_b.dtype, kv_b.bytes.data(), latent);
  std::vector<double> q(to_size(count * heads * width));
  for (std::int64_t h = 0; h < heads; ++h) {
    const double* head = split.data() + h * (nope + rope);
    double* q_head = q.data() + h * width;
    multiply({head, heads * (nope + rope)}, count,
             kv_b_rows.without_first(h * (nope + problem_.v_head_dim)), nope,
             {q_head, heads * width});
    for (std::int64_t r = 0; r < count; ++r) {
      const std::span<double> q_pe(q_head + r * heads * width + latent, to_size(rope));
      std::copy_n(head + r * heads * (nope + rope) + nope, rope, q_pe.begin());
      stages::rope(q_pe, problem_.position_base + rows[to_size(r)].index, inputs_.rope(),
                   problem_.rope_interleave);
    }
  }
  round(problem_.dtype, q);
  return q;
}

void Projection::cache_rows(const LatentRows::Piece& piece, std::span<double> rows) const {
  const bool given = piece.prompt && problem_.prompt == Prompt::given;
  if (given || problem_.entry == Entry::core) return given_rows(piece, rows);
  const auto& weights = inputs_.weights();
  const std::int64_t width = problem_.kv_lora_rank + problem_.qk_rope_head_dim;
  const std::vector<double> kv_c =
      project(hidden(piece.first, piece.count), piece.count, weights.kv_a);
  std::copy(kv_c.begin(), kv_c.end(), rows.begin());
  round(problem_.dtype, rows);
  norm_rows(rows, widen(weights.kv_a_norm), problem_.rms_norm_eps, width);
  for (std::int64_t t = 0; t < piece.count; ++t) {
    const auto row = rows.subspan(to_size(t * width), to_size(width));
    stages::rope(row.subspan(to_size(problem_.kv_lora_rank)),
                 problem_.position_base + piece.index + t, inputs_.rope(),
                 problem_.rope_interleave);
  }
  round(problem_.dtype, rows);
  if (!store_) return;
  for (double& value : rows) {
    value = store_(problem_.kv_cache_dtype, value / problem_.kv_scale) * problem_.kv_scale;
  }
}

void Projection::round(Dtype dtype, std::span<double> values) const {
  if (!store_) return;
  for (double& value : values) value = store_(dtype, value);
}

std::vector<double> Projection::hidden(Token first, std::int64_t count) const {
  Tensor states(problem_.dtype, {count, problem_.hidden_size});
  inputs_.hidden(first, count, states.bytes.data());
  return widen(states);
}

std::vector<double> Projection::given_queries(std::span<const Row> rows) const {
  const auto count = static_cast<std::int64_t>(rows.size());
  const std::int64_t width = problem_.kv_lora_rank + problem_.qk_rope_head_dim;
  Tensor q(problem_.dtype, {count, problem_.num_heads, width});
  const std::size_t row_bytes = q.bytes.size() / rows.size();
  for (std::size_t r = 0; r < rows.size(); ++r) {
    inputs_.query(rows[r], q.bytes.data() + r * row_bytes);
  }
  return widen(q);
}

// [rows, H, N + P], before RoPE.
std::vector<double> Projection::unabsorbed_queries(std::span<const Row> rows) const {
  const auto& weights = inputs_.weights();
  const auto count = static_cast<std::int64_t>(rows.size());
  std::vector<double> x;
  for (const Row& row : rows) {
    const std::vector<double> state = hidden(row.token, 1);
    x.insert(x.end(), state.begin(), state.end());
  }
  if (problem_.q_lora_rank > 0) {
    x = project(x, count, weights.q_a);
    round(problem_.dtype, x);
    norm_rows(x, widen(weights.q_a_norm), problem_.rms_norm_eps, problem_.q_lora_rank);
    round(problem_.dtype, x);
  }
  std::vector<double> q = project(x, count, weights.q_b);
  round(problem_.dtype, q);
  return q;
}

void Projection::given_rows(const LatentRows::Piece& piece, std::span<double> rows) const {
  Tensor given(problem_.dtype, {piece.count, problem_.kv_lora_rank + problem_.qk_rope_head_dim});
  inputs_.latent(piece.first, piece.index, piece.count, given.bytes.data());
  decode_to(given.dtype, given.bytes.data(), rows);
  for (double& value : rows) {
    value = round_to(problem_.kv_cache_dtype, value / problem_.kv_scale) * problem_.kv_scale;
  }
}

}  // namespace helixcheck
