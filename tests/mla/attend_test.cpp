// Attention against the plainest loop, and its behaviour at the edges.

#include "mla/attend.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <vector>

#include "mla/parallel.hpp"
#include "support/hash.hpp"

namespace helixcheck {
namespace {

using stages::AttendHead;
using stages::AttendResult;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct Problem {
  std::int64_t heads, latent, rope, count;
  std::vector<std::int64_t> visible;
  std::vector<double> q, keys;
  std::int64_t width() const { return latent + rope; }
  AttendShape shape() const { return {heads, latent, 0.3}; }
};

Problem make(std::int64_t heads, std::int64_t latent, std::int64_t rope, std::int64_t count,
             std::vector<std::int64_t> visible) {
  Problem p{heads, latent, rope, count, std::move(visible), {}, {}};
  p.q = hash_values(1, static_cast<std::int64_t>(p.visible.size()) * heads * p.width());
  p.keys = hash_values(2, count * p.width());
  for (double& value : p.q) value *= 4;
  return p;
}

AttendResult attend(const Problem& p) {
  return attend_rows(p.q, RowSource(p.keys.data(), p.width()), p.visible, p.shape(), true);
}

// One query vector over its keys, from the definitions.
struct Plain {
  AttendHead head;
  std::vector<double> o, square, sum_abs_v;
};

Plain plain_attention(const Problem& p, std::size_t a) {
  const auto latent = static_cast<std::size_t>(p.latent);
  const auto width = static_cast<std::size_t>(p.width());
  const std::int64_t visible = p.visible[a / static_cast<std::size_t>(p.heads)];
  Plain plain{{-kInfinity, -kInfinity, 0, 0, 0}, {}, {}, {}};
  plain.o.resize(latent);
  plain.square.resize(latent);
  plain.sum_abs_v.resize(latent);
  std::vector<double> scores;
  double max_norm = 0, q_norm = 0, sum = 0;
  for (std::size_t i = 0; i < width; ++i) q_norm = std::hypot(q_norm, p.q[a * width + i]);
  for (std::size_t t = 0; t < static_cast<std::size_t>(visible); ++t) {
    double score = 0, norm = 0;
    for (std::size_t i = 0; i < width; ++i) {
      const double key = p.keys[t * width + i];
      score += 0.3 * p.q[a * width + i] * key;
      norm = std::hypot(norm, key);
      plain.head.max_abs_key = std::max(plain.head.max_abs_key, std::abs(key));
    }
    scores.push_back(score);
    sum += std::exp(score);
    max_norm = std::max(max_norm, norm);
    plain.head.max_score = std::max(plain.head.max_score, score);
  }
  plain.head.lse = std::log(sum);
  plain.head.score_scale = 0.3 * q_norm * max_norm;
  for (std::size_t t = 0; t < scores.size(); ++t) {
    const double weight = std::exp(scores[t]) / sum;
    plain.head.inv_n_eff += weight * weight;
    for (std::size_t j = 0; j < latent; ++j) {
      const double value = p.keys[t * width + j];
      plain.o[j] += weight * value;
      plain.square[j] += weight * value * value;
      plain.sum_abs_v[j] += std::abs(value);
    }
  }
  return plain;
}

void expect_near(double got, double want) {
  if (std::isinf(want)) {
    EXPECT_EQ(got, want);
  } else {
    EXPECT_NEAR(got, want, 1e-12 * std::max(1.0, std::abs(want)));
  }
}

void expect_plain(const Problem& p, const AttendResult& result) {
  const auto latent = static_cast<std::size_t>(p.latent);
  ASSERT_EQ(result.heads.size(), p.visible.size() * static_cast<std::size_t>(p.heads));
  ASSERT_EQ(result.sum_abs_v.size(), p.visible.size() * latent);
  for (std::size_t a = 0; a < result.heads.size(); ++a) {
    const Plain plain = plain_attention(p, a);
    expect_near(result.heads[a].lse, plain.head.lse);
    expect_near(result.heads[a].max_score, plain.head.max_score);
    expect_near(result.heads[a].inv_n_eff, plain.head.inv_n_eff);
    expect_near(result.heads[a].score_scale, plain.head.score_scale);
    expect_near(result.heads[a].max_abs_key, plain.head.max_abs_key);
    for (std::size_t j = 0; j < latent; ++j) {
      expect_near(result.o[a * latent + j], plain.o[j]);
      expect_near(result.square[a * latent + j], plain.square[j]);
      const std::size_t row = a / static_cast<std::size_t>(p.heads);
      expect_near(result.sum_abs_v[row * latent + j], plain.sum_abs_v[j]);
    }
  }
}

TEST(AttendRows, AgreesWithThePlainLoop) {
  for (const Problem& p :
       {make(1, 1, 2, 1, {1}), make(3, 5, 2, 7, {7}), make(4, 8, 4, 64, {64}),
        make(5, 20, 6, 131, {129, 130, 131}), make(8, 33, 2, 300, {300, 12, 64, 65})}) {
    expect_plain(p, attend(p));
  }
}

TEST(AttendRows, NothingVisibleIsZeroAndMinusInfinity) {
  const Problem p = make(2, 4, 2, 10, {0, 3, 0});
  const AttendResult result = attend(p);
  expect_plain(p, result);
  EXPECT_EQ(result.heads[0].lse, -kInfinity);
  EXPECT_EQ(result.heads[0].inv_n_eff, 0);
  EXPECT_FALSE(std::signbit(result.o[0]));
  expect_plain(make(2, 4, 2, 0, {0}), attend(make(2, 4, 2, 0, {0})));
  EXPECT_TRUE(attend(make(2, 4, 2, 5, {})).heads.empty());
}

TEST(AttendRows, KeysBeyondARowsLengthHaveNoInfluence) {
  Problem p = make(3, 9, 2, 70, {66, 68});
  const AttendResult clean = attend(p);
  for (std::size_t i = static_cast<std::size_t>(66 * p.width()); i < p.keys.size(); ++i) {
    p.keys[i] = kNan;
  }
  const AttendResult poisoned = attend(p);
  for (std::size_t i = 0; i < 27; ++i) EXPECT_EQ(poisoned.o[i], clean.o[i]);
  EXPECT_EQ(poisoned.heads[2].lse, clean.heads[2].lse);
  EXPECT_TRUE(std::isnan(poisoned.o[27]));
}

TEST(AttendRows, NanAndInfinityAreNotHidden) {
  for (const double bad : {kNan, kInfinity, -kInfinity}) {
    Problem p = make(2, 4, 2, 20, {20});
    p.keys[30] = bad;
    EXPECT_FALSE(std::isfinite(attend(p).o[0]));
    p = make(2, 4, 2, 20, {20});
    p.q[0] = bad;
    const AttendResult result = attend(p);
    EXPECT_TRUE(std::isnan(result.heads[0].lse));
    EXPECT_TRUE(std::isfinite(result.heads[1].lse));
  }
}

TEST(AttendRows, EqualKeysShareTheWeight) {
  Problem p = make(2, 4, 2, 1000, {1000});
  for (std::size_t i = 6; i < p.keys.size(); ++i) p.keys[i] = p.keys[i - 6];
  const AttendResult result = attend(p);
  EXPECT_NEAR(result.heads[1].lse, result.heads[1].max_score + std::log(1000.0), 1e-12);
  EXPECT_NEAR(result.heads[1].inv_n_eff, 1e-3, 1e-15);
  EXPECT_NEAR(result.o[3], p.keys[3], 1e-14);
}

TEST(AttendRows, SurvivesHugeLogits) {
  Problem p = make(2, 4, 2, 50, {50});
  for (double& value : p.q) value *= 1e5;
  const AttendResult result = attend(p);
  EXPECT_NEAR(result.heads[0].lse, result.heads[0].max_score, 1e-9);
  EXPECT_NEAR(result.heads[0].inv_n_eff, 1, 1e-12);
}

// Rows, heads, groups of query vectors and threads must not influence each other: every vector
// alone gives the same bits. 6.3 million scores take two groups even on one thread.
TEST(AttendRows, BitsDoNotDependOnGroupsAndThreads) {
  const Problem p = make(30, 2, 2, 70000, {69998, 69999, 70000});
  const std::size_t width = 4, latent = 2;
  std::vector<AttendResult> results;
  for (const int threads : {1, 2, 3}) {
    const ThreadLimit limit(threads);
    results.push_back(attend(p));
  }
  for (const std::size_t a : {0u, 29u, 30u, 59u, 60u, 89u}) {
    Problem alone = p;
    alone.heads = 1;
    alone.visible = {p.visible[a / 30]};
    alone.q.assign(p.q.begin() + static_cast<std::ptrdiff_t>(a * width),
                   p.q.begin() + static_cast<std::ptrdiff_t>((a + 1) * width));
    const AttendResult want = attend(alone);
    for (const AttendResult& result : results) {
      EXPECT_EQ(result.heads[a].lse, want.heads[0].lse);
      EXPECT_EQ(result.o[a * latent + 1], want.o[1]);
      EXPECT_EQ(result.square[a * latent + 1], want.square[1]);
    }
  }
}

TEST(AttendRows, LeavesTheBoundsOutOnRequest) {
  const Problem p = make(3, 5, 2, 7, {7});
  const AttendResult full = attend(p);
  const AttendResult lean =
      attend_rows(p.q, RowSource(p.keys.data(), p.width()), p.visible, p.shape(), false);
  EXPECT_EQ(lean.o, full.o);
  EXPECT_EQ(lean.heads[2].lse, full.heads[2].lse);
  EXPECT_TRUE(lean.square.empty());
}

}  // namespace
}  // namespace helixcheck
