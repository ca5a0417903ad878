// The fp64 stages: thin ones here, the product in matmul and attention in attend.

#include "mla/stages.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "mla/attend.hpp"
#include "mla/matmul.hpp"
#include "mla/row_source.hpp"

namespace helixcheck::stages {

void linear(std::span<const double> x, std::span<const double> w, std::int64_t rows,
            std::int64_t in, std::int64_t out, std::span<double> y) {
  multiply_transposed({x.data(), in}, rows, RowSource(w.data(), in), out, {y.data(), out});
}

void rms_norm(std::span<const double> x, std::span<const double> w, double eps,
              std::span<double> y) {
  double square_sum = 0;
  for (const double value : x) square_sum += value * value;
  const double rms = std::sqrt(square_sum / static_cast<double>(x.size()) + eps);
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] / rms * w[i];
}

void rope(std::span<double> x, std::int64_t position, const RopeTable& table, bool interleave) {
  const std::size_t pairs = table.inv_freq.size();
  for (std::size_t j = 0; j < pairs; ++j) {
    const double angle = static_cast<double>(position) * table.inv_freq[j];
    const double cos = table.cos_scale * std::cos(angle);
    const double sin = table.cos_scale * std::sin(angle);
    double& first = x[interleave ? 2 * j : j];
    double& second = x[interleave ? 2 * j + 1 : j + pairs];
    const double a = first;
    const double b = second;
    first = a * cos - b * sin;
    second = a * sin + b * cos;
  }
}

AttendResult attend(std::span<const double> q, const CacheRows& keys,
                    std::span<const std::int64_t> visible, std::int64_t heads, std::int64_t latent,
                    std::int64_t rope, double softmax_scale) {
  const RowSource rows(keys.dtype, keys.codes, latent + rope, keys.scale);
  return attend_rows(q, rows, visible, {heads, latent, softmax_scale}, true);
}

double merge(std::span<const double> x, std::span<const double> lse, std::int64_t latent,
             std::span<double> o, std::span<double> magnitude, std::span<double> spread) {
  constexpr double kEmpty = -std::numeric_limits<double>::infinity();
  for (const std::span<double> sums : {o, magnitude, spread}) {
    std::fill(sums.begin(), sums.end(), 0.0);
  }
  const double max = *std::max_element(lse.begin(), lse.end());
  double sum = 0;
  for (const double partial : lse) {
    if (partial != kEmpty) sum += std::exp(partial - max);
  }

  // Calls body(weight, x of element j, j) for all partials that have a weight.
  const auto for_each = [&](auto body) {
    for (std::size_t c = 0; c < lse.size(); ++c) {
      if (lse[c] == kEmpty) continue;
      const double weight = std::exp(lse[c] - max) / sum;
      const auto row = x.subspan(c * static_cast<std::size_t>(latent));
      for (std::size_t j = 0; j < static_cast<std::size_t>(latent); ++j) body(weight, row[j], j);
    }
  };
  for_each([&](double weight, double value, std::size_t j) {
    o[j] += weight * value;
    magnitude[j] += weight * std::abs(value);
  });
  for_each([&](double weight, double value, std::size_t j) {
    spread[j] += weight * std::abs(value - o[j]);
  });
  return max + std::log(sum);  // -inf if all are empty
}

}  // namespace helixcheck::stages
