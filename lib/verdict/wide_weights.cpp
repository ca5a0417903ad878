// Row norms are sums of squares in fp64: their own error, 1e-13, is far inside the 1 % of the
// bounds.

#include "verdict/wide_weights.hpp"

#include <cmath>

#include "mla/formats.hpp"

namespace helixcheck {

WideWeights::WideWeights(const Inputs& inputs, const Geometry& geometry)
    : inputs_(inputs), geometry_(geometry), o_columns_(static_cast<std::size_t>(geometry.ranks)) {}

void WideWeights::Stored::fill_norms() {
  const auto n = static_cast<std::size_t>(in);
  norms.resize(w.size() / n);
  for (std::size_t row = 0; row < norms.size(); ++row) {
    const double* x = w.data() + row * n;
    double sum[4] = {};  // independent chains: one would wait for each addition
    std::size_t i = 0;
    for (; i + 4 <= n; i += 4) {
      for (std::size_t k = 0; k < 4; ++k) sum[k] += x[i + k] * x[i + k];
    }
    for (; i < n; ++i) sum[0] += x[i] * x[i];
    norms[row] = std::sqrt((sum[0] + sum[1]) + (sum[2] + sum[3]));
  }
}

LinearMap WideWeights::Stored::rows(std::int64_t first, std::int64_t count) const {
  return {
      std::span(w).subspan(static_cast<std::size_t>(first * in),
                           static_cast<std::size_t>(count * in)),
      std::span(norms).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)),
      count, in};
}

const WideWeights::Stored& WideWeights::whole(Stored& stored, const Tensor& tensor) {
  if (stored.empty()) {
    stored.w = widen(tensor);
    stored.in = tensor.shape[1];
    stored.fill_norms();
  }
  return stored;
}

LinearMap WideWeights::q_a() {
  return whole(q_a_, inputs_.weights().q_a).rows(0, geometry_.q_lora);
}

LinearMap WideWeights::q_b(std::int64_t tpa_rank) {
  const std::int64_t rows = geometry_.rank_heads * (geometry_.nope + geometry_.rope);
  return whole(q_b_, inputs_.weights().q_b).rows(tpa_rank * rows, rows);
}

LinearMap WideWeights::kv_a() {
  return whole(kv_a_, inputs_.weights().kv_a).rows(0, geometry_.width);
}

// kv_b [H * (N + Vd), R] holds for each head the rows of k_nope, then those of v.
void WideWeights::split_kv_b() {
  const std::vector<double> kv_b = widen(inputs_.weights().kv_b);
  const auto n = static_cast<std::size_t>(geometry_.nope);
  const auto v = static_cast<std::size_t>(geometry_.value);
  const auto r = static_cast<std::size_t>(geometry_.latent);
  const auto heads = static_cast<std::size_t>(geometry_.heads);
  k_absorb_.w.resize(heads * r * n);
  k_absorb_.in = geometry_.nope;
  v_up_.in = geometry_.latent;
  v_up_.w.reserve(heads * v * r);
  for (std::size_t h = 0; h < heads; ++h) {
    const double* head = kv_b.data() + h * (n + v) * r;
    double* turned = k_absorb_.w.data() + h * r * n;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < r; ++j) turned[j * n + i] = head[i * r + j];
    }
    v_up_.w.insert(v_up_.w.end(), head + n * r, head + (n + v) * r);
  }
  k_absorb_.fill_norms();
  v_up_.fill_norms();
}

LinearMap WideWeights::k_absorb(std::int64_t head) {
  if (k_absorb_.empty()) split_kv_b();
  return k_absorb_.rows(head * geometry_.latent, geometry_.latent);
}

LinearMap WideWeights::v_up(std::int64_t head) {
  if (v_up_.empty()) split_kv_b();
  return v_up_.rows(head * geometry_.value, geometry_.value);
}

LinearMap WideWeights::o_columns(std::int64_t rank) {
  Stored& stored = o_columns_[static_cast<std::size_t>(rank)];
  if (stored.empty()) {
    const Tensor& o = inputs_.weights().o;
    const std::int64_t columns = geometry_.owned_heads * geometry_.value;
    const std::int64_t first = geometry_.first_owned(rank) * geometry_.value;
    const auto n = static_cast<std::size_t>(columns);
    stored.in = columns;
    stored.w.resize(static_cast<std::size_t>(geometry_.hidden) * n);
    for (std::int64_t row = 0; row < geometry_.hidden; ++row) {
      const std::byte* from =
          o.bytes.data() + static_cast<std::size_t>(row * o.shape[1] + first) * size_of(o.dtype);
      decode_to(o.dtype, from, std::span(stored.w).subspan(static_cast<std::size_t>(row) * n, n));
    }
    stored.fill_norms();
  }
  return stored.rows(0, geometry_.hidden);
}

std::span<const double> WideWeights::q_a_norm() {
  if (q_a_norm_.empty()) q_a_norm_ = widen(inputs_.weights().q_a_norm);
  return q_a_norm_;
}

std::span<const double> WideWeights::kv_a_norm() {
  if (kv_a_norm_.empty()) kv_a_norm_ = widen(inputs_.weights().kv_a_norm);
  return kv_a_norm_;
}

}  // namespace helixcheck
