// One sweep over the keys in index order, stopped at each row's visible length to take its figures.

#include "mla/key_bounds.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

namespace helixcheck {
namespace {

constexpr std::int64_t kKeyBlock = 64;  // keys widened at a time

struct Size {
  double square_sum = 0;
  double max_abs = 0;
};

// In eight interleaved sums and maxima: a single one would wait for each addition.
Size size_of_vector(std::span<const double> x) {
  constexpr std::size_t kLanes = 8;
  std::array<double, kLanes> sums{};
  std::array<double, kLanes> maxima{};
  const auto add = [&](std::size_t lane, double value) {
    sums[lane] += value * value;
    maxima[lane] = std::max(maxima[lane], std::abs(value));
  };
  std::size_t k = 0;
  for (; k + kLanes <= x.size(); k += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) add(lane, x[k + lane]);
  }
  for (std::size_t lane = 0; k < x.size(); ++k, ++lane) add(lane, x[k]);
  return {std::accumulate(sums.begin(), sums.end(), 0.0),
          *std::max_element(maxima.begin(), maxima.end())};
}

// Figures of the first `seen` keys.
class Sweep {
 public:
  Sweep(const RowSource& keys, std::int64_t latent)
      : keys_(keys), sum_abs_v_(static_cast<std::size_t>(latent)) {}

  void advance_to(std::int64_t seen) {
    const auto width = static_cast<std::size_t>(keys_.width());
    while (seen_ < seen) {
      const std::int64_t count = std::min(kKeyBlock, seen - seen_);
      block_.resize(static_cast<std::size_t>(count) * width);
      keys_.read(seen_, 0, block_);
      for (std::size_t at = 0; at < block_.size(); at += width) {
        add(std::span<const double>(block_).subspan(at, width));
      }
      seen_ += count;
    }
  }

  double max_norm() const { return std::sqrt(max_square_); }
  double max_abs_key() const { return max_abs_; }
  const std::vector<double>& sum_abs_v() const { return sum_abs_v_; }

 private:
  void add(std::span<const double> key) {
    const Size size = size_of_vector(key);
    max_square_ = std::max(max_square_, size.square_sum);
    max_abs_ = std::max(max_abs_, size.max_abs);
    for (std::size_t j = 0; j < sum_abs_v_.size(); ++j) sum_abs_v_[j] += std::abs(key[j]);
  }

  const RowSource& keys_;
  std::int64_t seen_ = 0;
  double max_square_ = 0;
  double max_abs_ = 0;
  std::vector<double> sum_abs_v_;
  std::vector<double> block_;
};

}  // namespace

void add_key_bounds(std::span<const double> q, const RowSource& keys,
                    std::span<const std::int64_t> visible, const AttendShape& shape,
                    stages::AttendResult& result) {
  std::vector<std::size_t> rows(visible.size());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  std::sort(rows.begin(), rows.end(),
            [&](std::size_t a, std::size_t b) { return visible[a] < visible[b]; });
  const auto heads = static_cast<std::size_t>(shape.heads);
  const auto latent = static_cast<std::size_t>(shape.latent);
  const auto width = static_cast<std::size_t>(keys.width());
  result.sum_abs_v.resize(rows.size() * latent);

  Sweep sweep(keys, shape.latent);
  for (const std::size_t row : rows) {
    sweep.advance_to(visible[row]);
    std::copy_n(sweep.sum_abs_v().begin(), latent,
                result.sum_abs_v.begin() + static_cast<std::ptrdiff_t>(row * latent));
    for (std::size_t a = row * heads; a < (row + 1) * heads; ++a) {
      const double q_norm = std::sqrt(size_of_vector(q.subspan(a * width, width)).square_sum);
      result.heads[a].score_scale = std::abs(shape.softmax_scale) * q_norm * sweep.max_norm();
      result.heads[a].max_abs_key = sweep.max_abs_key();
    }
  }
}

}  // namespace helixcheck
