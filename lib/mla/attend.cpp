// Two-pass attention in fp64. Query vectors (row, head) are numbered row * heads + head and worked
// on in groups, because the scores of a group are held at once: [group, keys]. Each element of a
// result is summed over the keys in index order, whatever the groups, blocks and threads.

#include "mla/attend.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "mla/kernels.hpp"
#include "mla/key_bounds.hpp"
#include "mla/matmul.hpp"
#include "mla/parallel.hpp"

namespace helixcheck {
namespace {

using stages::AttendHead;
using stages::AttendResult;

constexpr std::int64_t kKeyBlock = 64;        // keys widened at a time for the value sums
constexpr std::int64_t kMaxScores = 1 << 22;  // held at once by a group: 32 MiB
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Turns the raw scores of one query vector into exp(score - max) and fills what follows from them.
// Returns the sum of the exponentials, which is NaN if a score is NaN or +inf.
double exponentiate(std::span<double> scores, double softmax_scale, AttendHead& head) {
  if (scores.empty()) {
    head.lse = head.max_score = -kInfinity;
    return 0;
  }
  double max = -kInfinity;
  for (double& score : scores) {
    score *= softmax_scale;
    max = std::max(max, score);
  }
  double sum = 0;
  double square_sum = 0;
  for (double& score : scores) {
    score = std::exp(score - max);
    sum += score;
    square_sum += score * score;
  }
  head.max_score = max;
  head.lse = max + std::log(sum);
  head.inv_n_eff = square_sum / (sum * sum);
  return sum;
}

// Columns [column, column + columns) of `count` rows of `width` as a panel, and their squares.
void pack_values(const double* rows, std::int64_t count, std::int64_t width, std::int64_t column,
                 int columns, double* panel, double* squares) {
  for (std::int64_t t = 0; t < count; ++t, panel += kPanelColumns, squares += kPanelColumns) {
    std::copy_n(rows + t * width + column, columns, panel);
    std::fill(panel + columns, panel + kPanelColumns, 0.0);
    for (int j = 0; j < kPanelColumns; ++j) squares[j] = panel[j] * panel[j];
  }
}

// Computes the query vectors [begin, end) of one call.
class Group {
 public:
  Group(std::span<const double> q, const RowSource& keys, std::span<const std::int64_t> visible,
        const AttendShape& shape, std::int64_t begin, std::int64_t end)
      : q_(q), keys_(keys), visible_(visible), shape_(shape), begin_(begin), end_(end) {
    for (std::int64_t a = begin; a < end; ++a) longest_ = std::max(longest_, visible_of(a));
  }

  void run(AttendResult& result) const {
    const auto count = static_cast<std::size_t>((end_ - begin_) * longest_);
    const auto scores = std::make_unique_for_overwrite<double[]>(count);
    const std::int64_t width = keys_.width();
    multiply_transposed({q_.data() + begin_ * width, width}, end_ - begin_, keys_, longest_,
                        {scores.get(), longest_});
    std::vector<double> sums;
    for (std::int64_t a = begin_; a < end_; ++a) {
      const std::span<double> row(scores.get() + (a - begin_) * longest_,
                                  static_cast<std::size_t>(visible_of(a)));
      sums.push_back(
          exponentiate(row, shape_.softmax_scale, result.heads[static_cast<std::size_t>(a)]));
    }
    add_values(scores.get(), result);
    for (std::int64_t a = begin_; a < end_; ++a) {
      normalise(a, sums[static_cast<std::size_t>(a - begin_)], result.o);
      normalise(a, sums[static_cast<std::size_t>(a - begin_)], result.square);
    }
  }

 private:
  std::int64_t visible_of(std::int64_t a) const {
    return visible_[static_cast<std::size_t>(a / shape_.heads)];
  }

  // o and square += sum over keys of weight * value and weight * value^2.
  void add_values(const double* weights, AttendResult& result) const {
    const std::int64_t block = std::min(kKeyBlock, longest_);
    const auto size = static_cast<std::size_t>(block * keys_.width());
    const auto rows = std::make_unique_for_overwrite<double[]>(size);
    for (std::int64_t first = 0; first < longest_; first += block) {
      const std::int64_t count = std::min(block, longest_ - first);
      keys_.read(first, 0, {rows.get(), static_cast<std::size_t>(count * keys_.width())});
      for (std::int64_t j = 0; j < shape_.latent; j += kPanelColumns) {
        add_panel(weights, first, count, rows.get(), j, result);
      }
    }
  }

  // The part of the keys [first, first + count) and of the values' columns from `column` on. Rows
  // that see less of the block stop earlier: what they must not see is not even weighted with 0.
  void add_panel(const double* weights, std::int64_t first, std::int64_t count, const double* rows,
                 std::int64_t column, AttendResult& result) const {
    alignas(64) std::array<double, kKeyBlock * kPanelColumns> panel;
    alignas(64) std::array<double, kKeyBlock * kPanelColumns> squares;
    const std::int64_t left = shape_.latent - column;
    const int columns = static_cast<int>(std::min<std::int64_t>(kPanelColumns, left));
    pack_values(rows, count, keys_.width(), column, columns, panel.data(), squares.data());
    for (std::int64_t a = begin_; a < end_;) {
      const std::int64_t stop = std::min(end_, (a / shape_.heads + 1) * shape_.heads);
      const std::int64_t depth = std::min(count, visible_of(a) - first);
      if (depth > 0) {
        const double* p = weights + (a - begin_) * longest_ + first;
        const std::int64_t at = a * shape_.latent + column;
        const auto add = [&](const double* values, std::vector<double>& sums) {
          kernels().multiply_add(stop - a, depth, columns, p, longest_, values, sums.data() + at,
                                 shape_.latent);
        };
        add(panel.data(), result.o);
        if (!result.square.empty()) add(squares.data(), result.square);
      }
      a = stop;
    }
  }

  void normalise(std::int64_t a, double sum, std::vector<double>& values) const {
    if (values.empty() || visible_of(a) == 0) return;
    double* row = values.data() + a * shape_.latent;
    for (std::int64_t j = 0; j < shape_.latent; ++j) row[j] /= sum;
  }

  std::span<const double> q_;
  const RowSource& keys_;
  std::span<const std::int64_t> visible_;
  const AttendShape& shape_;
  std::int64_t begin_, end_;
  std::int64_t longest_ = 0;
};

}  // namespace

AttendResult attend_rows(std::span<const double> q, const RowSource& keys,
                         std::span<const std::int64_t> visible, const AttendShape& shape,
                         bool for_bounds) {
  const auto rows = static_cast<std::int64_t>(visible.size());
  const std::int64_t vectors = rows * shape.heads;
  const std::int64_t longest = rows == 0 ? 0 : *std::max_element(visible.begin(), visible.end());
  AttendResult result;
  result.heads.resize(static_cast<std::size_t>(vectors));
  result.o.resize(static_cast<std::size_t>(vectors * shape.latent));
  if (for_bounds) result.square.resize(result.o.size());

  const std::int64_t most =
      std::max<std::int64_t>(1, kMaxScores / std::max<std::int64_t>(longest, 1));
  const double flops = static_cast<double>(vectors * longest) *
                       static_cast<double>(2 * keys.width() + 4 * shape.latent);
  parallel_for(vectors, flops, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t a = begin; a < end; a += most) {
      Group(q, keys, visible, shape, a, std::min(a + most, end)).run(result);
    }
  });
  if (for_bounds) add_key_bounds(q, keys, visible, shape, result);
  return result;
}

}  // namespace helixcheck
