// Norms are sums of squares in fp64: their own error, 1e-13, is far inside the 1 % of the bounds.

#include "verdict/linear_maps.hpp"

#include <algorithm>
#include <cmath>

#include "mla/formats.hpp"
#include "mla/matmul.hpp"

namespace helixcheck {
namespace {

RowSource source_of(const Tensor& tensor) {
  return RowSource(tensor.dtype, tensor.bytes.data(), tensor.shape[1]);
}

double norm(std::span<const double> x) {
  double sum[4] = {};  // independent chains: one would wait for each addition
  std::size_t i = 0;
  for (; i + 4 <= x.size(); i += 4) {
    for (std::size_t k = 0; k < 4; ++k) sum[k] += x[i + k] * x[i + k];
  }
  for (; i < x.size(); ++i) sum[0] += x[i] * x[i];
  return std::sqrt((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

std::vector<double> row_norms(const RowSource& w, std::int64_t rows) {
  std::vector<double> row(static_cast<std::size_t>(w.width())), norms;
  norms.reserve(static_cast<std::size_t>(rows));
  for (std::int64_t i = 0; i < rows; ++i) {
    w.read(i, 0, row);
    norms.push_back(norm(row));
  }
  return norms;
}

// Norms of the columns of the first `rows` rows.
void column_norms(const RowSource& w, std::int64_t rows, std::span<double> norms) {
  std::vector<double> row(norms.size());
  std::fill(norms.begin(), norms.end(), 0.0);
  for (std::int64_t i = 0; i < rows; ++i) {
    w.read(i, 0, row);
    for (std::size_t j = 0; j < norms.size(); ++j) norms[j] += row[j] * row[j];
  }
  for (double& value : norms) value = std::sqrt(value);
}

}  // namespace

void LinearMap::apply(std::span<const double> x, std::int64_t rows, std::span<double> y,
                      Accelerator* accelerator) const {
  const double flops = 2.0 * static_cast<double>(rows) * static_cast<double>(in * out);
  const bool plain_codes = w.codes() != nullptr && w.scale() == 1.0;
  if (accelerator != nullptr && plain_codes && flops >= kAcceleratedFlops) {
    const auto width_in = static_cast<std::size_t>(rows * in);
    const auto width_out = static_cast<std::size_t>(rows * out);
    return accelerator->multiply({rows, in, out, w.dtype(), w.codes(), turned}, x.first(width_in),
                                 y.first(width_out));
  }
  if (turned) {
    multiply({x.data(), in}, rows, w, in, {y.data(), out});
  } else {
    multiply_transposed({x.data(), in}, rows, w, out, {y.data(), out});
  }
}

LinearMaps::LinearMaps(const Inputs& inputs, const Geometry& geometry)
    : inputs_(inputs), geometry_(geometry), o_columns_(static_cast<std::size_t>(geometry.ranks)) {}

LinearMap LinearMaps::rows_of(const Tensor& tensor, Norms& norms, std::int64_t first,
                              std::int64_t count) {
  if (norms.empty()) norms = row_norms(source_of(tensor), tensor.shape[0]);
  return {source_of(tensor).without_first(first), false, count, tensor.shape[1],
          std::span<const double>(norms).subspan(static_cast<std::size_t>(first),
                                                 static_cast<std::size_t>(count))};
}

LinearMap LinearMaps::q_a() {
  return rows_of(inputs_.weights().q_a, q_a_, 0, geometry_.q_lora);
}

LinearMap LinearMaps::q_b(std::int64_t tpa_rank) {
  const std::int64_t rows = geometry_.rank_heads * (geometry_.nope + geometry_.rope);
  return rows_of(inputs_.weights().q_b, q_b_, tpa_rank * rows, rows);
}

LinearMap LinearMaps::kv_a() {
  return rows_of(inputs_.weights().kv_a, kv_a_, 0, geometry_.width);
}

// kv_b [H * (N + Vd), R] holds for each head the rows of k_nope, then those of v.
LinearMap LinearMaps::k_absorb(std::int64_t head) {
  const RowSource kv_b = source_of(inputs_.weights().kv_b);
  const std::int64_t per_head = geometry_.nope + geometry_.value;
  const auto latent = static_cast<std::size_t>(geometry_.latent);
  if (k_absorb_.empty()) {
    k_absorb_.resize(static_cast<std::size_t>(geometry_.heads) * latent);
    for (std::int64_t h = 0; h < geometry_.heads; ++h) {
      column_norms(kv_b.without_first(h * per_head), geometry_.nope,
                   std::span(k_absorb_).subspan(static_cast<std::size_t>(h) * latent, latent));
    }
  }
  return {
      kv_b.without_first(head * per_head), true, geometry_.latent, geometry_.nope,
      std::span<const double>(k_absorb_).subspan(static_cast<std::size_t>(head) * latent, latent)};
}

LinearMap LinearMaps::v_up(std::int64_t head) {
  const std::int64_t first = head * (geometry_.nope + geometry_.value) + geometry_.nope;
  return rows_of(inputs_.weights().kv_b, kv_b_, first, geometry_.value);
}

LinearMap LinearMaps::o_columns(std::int64_t rank) {
  const Tensor& o = inputs_.weights().o;
  const std::int64_t columns = geometry_.owned_heads * geometry_.value;
  Columns& slice = o_columns_[static_cast<std::size_t>(rank)];
  if (slice.norms.empty()) {
    const std::size_t row = static_cast<std::size_t>(columns) * size_of(o.dtype);
    const std::size_t pitch = static_cast<std::size_t>(o.shape[1]) * size_of(o.dtype);
    const std::size_t first =
        static_cast<std::size_t>(geometry_.first_owned(rank) * geometry_.value) * size_of(o.dtype);
    slice.codes.resize(static_cast<std::size_t>(geometry_.hidden) * row);
    for (std::size_t i = 0; i < static_cast<std::size_t>(geometry_.hidden); ++i) {
      std::copy_n(o.bytes.data() + i * pitch + first, row, slice.codes.data() + i * row);
    }
    slice.norms = row_norms(RowSource(o.dtype, slice.codes.data(), columns), geometry_.hidden);
  }
  return {RowSource(o.dtype, slice.codes.data(), columns), false, geometry_.hidden, columns,
          slice.norms};
}

std::span<const double> LinearMaps::q_a_norm() {
  if (q_a_norm_.empty()) q_a_norm_ = widen(inputs_.weights().q_a_norm);
  return q_a_norm_;
}

std::span<const double> LinearMaps::kv_a_norm() {
  if (kv_a_norm_.empty()) kv_a_norm_ = widen(inputs_.weights().kv_a_norm);
  return kv_a_norm_;
}

}  // namespace helixcheck
