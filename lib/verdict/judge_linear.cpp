// The two computations that several taps share: a linear layer, and the latent row of a token.

#include <algorithm>
#include <cmath>

#include "mla/formats.hpp"
#include "mla/stages.hpp"
#include "verdict/bounds.hpp"
#include "verdict/judge_state.hpp"

namespace helixcheck {
namespace {

double norm(std::span<const double> x) {
  double sum = 0;
  for (const double value : x) sum += value * value;
  return std::sqrt(sum);
}

}  // namespace

void judge_linear(JudgeState& state, Tally& tally, const LinearMap& map, std::span<const double> x,
                  const Codes& got, std::span<const Place> places, const HeadAxis& axis) {
  const std::int64_t rows = std::ssize(places);
  const auto in = static_cast<std::size_t>(map.in), out = static_cast<std::size_t>(map.out);
  const std::span<double> want = sized(state.scratch.want, rows * map.out);
  const std::span<double> bound = sized(state.scratch.bound, map.out);
  const std::span<double> value = sized(state.scratch.got, map.out);
  map.apply(x.first(static_cast<std::size_t>(rows) * in), rows, want, state.accelerator);
  const double factor = bounds::linear_factor(state.contract(), state.geometry.dtype, map.in);
  const double floor = bounds::underflow(map.in);
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto r = static_cast<std::size_t>(row);
    const double size = factor * norm(x.subspan(r * in, in));
    for (std::size_t i = 0; i < out; ++i) bound[i] = size * map.norms[i] + floor;
    decode_to(got.dtype, got.row(row), value);
    const std::span<const double> expected = want.subspan(r * out, out);
    if (axis.per_head == 0) {
      tally.compare(got.dtype, value, expected, bound, places[r]);
      continue;
    }
    const auto width = static_cast<std::size_t>(axis.per_head);
    Place place = places[r];
    place.head = axis.first_head;
    for (std::size_t i = 0; i < out; i += width, ++place.head) {
      tally.compare(got.dtype, value.subspan(i, width), expected.subspan(i, width),
                    bound.subspan(i, width), place);
    }
  }
}

void judge_latent(JudgeState& state, Tally& tally, const Codes& kv_c, const Codes& got,
                  std::span<const std::int64_t> positions, std::span<const Place> places) {
  const Geometry& g = state.geometry;
  const std::int64_t rows = std::ssize(places);
  const auto latent = static_cast<std::size_t>(g.latent), width = static_cast<std::size_t>(g.width);
  const std::span<double> want = sized(state.scratch.want, g.width);
  const std::span<double> bound = sized(state.scratch.bound, g.width);
  const std::span<double> value = sized(state.scratch.got, g.width);
  const double factor = bounds::rms_norm_factor(state.contract(), g.dtype, g.latent);
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto r = static_cast<std::size_t>(row);
    const std::span<double> x = sized(state.scratch.input, g.width);
    decode_to(kv_c.dtype, kv_c.row(row), x);
    decode_to(got.dtype, got.row(row), value);
    stages::rms_norm(x.first(latent), state.weights.kv_a_norm(), state.problem.rms_norm_eps,
                     want.first(latent));
    for (std::size_t i = 0; i < latent; ++i) {
      bound[i] = factor * std::abs(want[i]) + (want[i] != 0 ? bounds::underflow(2) : 0);
    }
    rotate_bounded(state, positions[r], x.subspan(latent), want.subspan(latent),
                   bound.subspan(latent));
    tally.compare(got.dtype, value.first(width), want, bound, places[r]);
  }
}

void rotate_bounded(const JudgeState& state, std::int64_t position, std::span<const double> x,
                    std::span<double> want, std::span<double> bound) {
  const RopeTable& table = state.inputs.rope();
  std::copy(x.begin(), x.end(), want.begin());
  stages::rope(want, position, table, state.problem.rope_interleave);
  const std::size_t pairs = x.size() / 2;
  for (std::size_t j = 0; j < pairs; ++j) {
    const std::size_t a = state.problem.rope_interleave ? 2 * j : j;
    const std::size_t b = state.problem.rope_interleave ? 2 * j + 1 : j + pairs;
    const double size = std::abs(x[a]) + std::abs(x[b]);
    bound[a] = bound[b] =
        size * bounds::rope_factor(state.contract(), position, table.inv_freq[j], table.cos_scale) +
        (size > 0 ? bounds::underflow(4) : 0);
  }
}

}  // namespace helixcheck
