// YaRN interpolates the slow dimensions of RoPE (those that turn less than beta_slow times over the
// original context), keeps the fast ones (more than beta_fast turns) and blends linearly between.

#include "mla/rope.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

namespace helixcheck {
namespace {

// The attention temperature of YaRN for a context stretched by `factor`.
double mscale(double factor, double strength) {
  return factor <= 1.0 ? 1.0 : 0.1 * strength * std::log(factor) + 1.0;
}

// Present and non-zero: engines take a zero for "not configured".
bool is_set(const std::optional<double>& value) {
  return value.has_value() && *value != 0.0;
}

// The (real) index of the rotation pair that makes `rotations` turns over the original context:
// theta^(2j/P) = original / (2 pi rotations), solved for j.
double pair_of_rotations(double rotations, const Problem& problem, const RopeScaling& yarn) {
  const double wavelength_ratio = static_cast<double>(yarn.original_max_position_embeddings) /
                                  (2.0 * std::numbers::pi * rotations);
  return static_cast<double>(problem.qk_rope_head_dim) * std::log(wavelength_ratio) /
         (2.0 * std::log(problem.rope_theta));
}

// Divides the frequencies of slow pairs by the factor.
void interpolate(const Problem& problem, const RopeScaling& yarn, std::vector<double>& inv_freq) {
  // The published formula counts dimensions here where it counts pairs elsewhere: not P/2 - 1.
  const double last = static_cast<double>(problem.qk_rope_head_dim) - 1.0;
  const double low = std::max(std::floor(pair_of_rotations(yarn.beta_fast, problem, yarn)), 0.0);
  double high = std::min(std::ceil(pair_of_rotations(yarn.beta_slow, problem, yarn)), last);
  if (low == high) high += 0.001;
  for (std::size_t j = 0; j < inv_freq.size(); ++j) {
    const double ramp = std::clamp((static_cast<double>(j) - low) / (high - low), 0.0, 1.0);
    inv_freq[j] = inv_freq[j] / yarn.factor * ramp + inv_freq[j] * (1.0 - ramp);
  }
}

}  // namespace

RopeTable resolve_rope(const Problem& problem) {
  const auto rope_dim = static_cast<double>(problem.qk_rope_head_dim);
  RopeTable table;
  for (std::int64_t j = 0; j < problem.qk_rope_head_dim / 2; ++j) {
    table.inv_freq.push_back(
        std::pow(problem.rope_theta, -2.0 * static_cast<double>(j) / rope_dim));
  }
  table.softmax_scale =
      1.0 / std::sqrt(static_cast<double>(problem.qk_nope_head_dim + problem.qk_rope_head_dim));
  if (problem.rope_scaling) {
    const RopeScaling& yarn = *problem.rope_scaling;
    interpolate(problem, yarn, table.inv_freq);
    table.cos_scale = mscale(yarn.factor, 1.0);
    if (is_set(yarn.mscale) && is_set(yarn.mscale_all_dim)) {
      table.cos_scale =
          mscale(yarn.factor, *yarn.mscale) / mscale(yarn.factor, *yarn.mscale_all_dim);
    }
    if (is_set(yarn.mscale_all_dim)) {
      const double temperature = mscale(yarn.factor, *yarn.mscale_all_dim);
      table.softmax_scale *= temperature * temperature;
    }
  }
  if (problem.softmax_scale) table.softmax_scale = *problem.softmax_scale;
  return table;
}

}  // namespace helixcheck
