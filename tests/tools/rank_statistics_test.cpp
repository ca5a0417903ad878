// Against SciPy 1.10: mannwhitneyu(a, b, method="asymptotic", use_continuity=True), with infinity
// written as 1e9.

#include "rank_statistics.hpp"

#include <gtest/gtest.h>
#include <limits>
#include <vector>

namespace helixcheck {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

struct Known {
  std::vector<double> a, b;
  double p, smaller;
};

TEST(RankStatistics, AgreeWithSciPy) {
  const Known known[] = {
      {{1, 2, 3, 4, 5}, {6, 7, 8, 9, 10}, 0.012185780355344813, 1},
      {{19, 22, 16, 29, 24}, {20, 11, 17, 12}, 0.11134688653314041, 0.15},
      {{1, 1, 2, 3}, {1, 2, 2, 4, 4}, 0.3727144268392836, 0.7},
      {{5, 8, kNever, kNever, 3, 9, 12, 40},
       {kNever, kNever, kNever, 30, kNever, 25, kNever, kNever},
       0.028708228157545517,
       0.8125},
      {{3, 3, 3}, {3, 3, 3, 3}, 1, 0.5},
      {{0.1, 0.5, 7}, {0.2, 0.6, 8}, 0.6625205835400574, 2.0 / 3},
  };
  for (const Known& one : known) {
    EXPECT_NEAR(mann_whitney_p(one.a, one.b), one.p, 1e-12);
    EXPECT_NEAR(mann_whitney_p(one.b, one.a), one.p, 1e-12) << "two-sided";
    EXPECT_NEAR(probability_smaller(one.a, one.b), one.smaller, 1e-12);
    EXPECT_NEAR(probability_smaller(one.b, one.a), 1 - one.smaller, 1e-12);
  }
}

TEST(RankStatistics, SayNothingAboutNothing) {
  const std::vector<double> none, some{1, 2};
  EXPECT_EQ(mann_whitney_p(none, some), 1);
  EXPECT_EQ(mann_whitney_p(some, none), 1);
}

TEST(RankStatistics, MedianOfCensoredRuns) {
  EXPECT_EQ(median(std::vector<double>{3, 1, 2}), 2);
  EXPECT_EQ(median(std::vector<double>{4, 1, 3, 2}), 2.5);
  EXPECT_EQ(median(std::vector<double>{kNever, 1, 2}), 2);
  EXPECT_EQ(median(std::vector<double>{kNever, 1, kNever}), kNever);
  EXPECT_EQ(median(std::vector<double>{kNever, 1}), kNever);
}

}  // namespace
}  // namespace helixcheck
