// The composed bound against merges of partials that are off by as much as they may be.

#include "verdict/span_bound.hpp"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <vector>

#include "mla/formats.hpp"
#include "mla/stages.hpp"

namespace helixcheck {
namespace {

constexpr std::int64_t kLatent = 6;

struct Lane {
  std::vector<std::vector<double>> o, error;
  std::vector<bounds::SpanPart> parts;
};

class Random {
 public:
  double between(double low, double high) {
    return low + (high - low) * static_cast<double>(engine_() >> 11) * 0x1p-53;
  }
  double sign() { return engine_() % 2 == 0 ? 1 : -1; }
  int below(int n) { return static_cast<int>(engine_() % static_cast<unsigned>(n)); }

 private:
  std::mt19937_64 engine_{7};
};

Lane draw_lane(Random& random, double lse_error) {
  Lane lane;
  const int count = 1 + random.below(5);
  for (int r = 0; r < count; ++r) {
    std::vector<double> o(kLatent), error(kLatent);
    for (double& value : o) value = random.between(-2, 2);
    for (double& value : error) value = random.between(0, 1e-2);
    lane.o.push_back(o);
    lane.error.push_back(error);
  }
  for (std::size_t r = 0; r < lane.o.size(); ++r) {
    const double lse = random.between(-3, 3);
    lane.parts.push_back({lse, lse_error, lse, lane.o[r], lane.error[r]});
  }
  return lane;
}

// The exact merge of partials moved to a corner of what their bounds allow.
std::vector<double> merge_at_corner(Random& random, const Lane& lane, double& lse) {
  std::vector<double> x, lses, o(kLatent), magnitude(kLatent), spread(kLatent);
  for (std::size_t r = 0; r < lane.parts.size(); ++r) {
    for (std::size_t j = 0; j < kLatent; ++j) {
      x.push_back(lane.o[r][j] + random.sign() * lane.error[r][j]);
    }
    lses.push_back(lane.parts[r].lse + random.sign() * lane.parts[r].lse_error);
  }
  lse = stages::merge(x, lses, kLatent, o, magnitude, spread);
  return o;
}

TEST(SpanBound, HoldsAtEveryCornerAndIsNotFarAway) {
  Random random;
  const Contract& contract = find_contract("cpu");
  double worst = 0, worst_lse = 0;
  for (int trial = 0; trial < 20000; ++trial) {
    const Lane lane = draw_lane(random, trial % 2 == 0 ? 0.02 : 1e-4);
    std::vector<double> o(kLatent), error(kLatent);
    const bounds::SpanResult result =
        bounds::merged(contract, {LseForm::ln, Dtype::bf16}, 8, lane.parts, o, error);
    ASSERT_TRUE(result.credible);
    double lse = 0;
    const std::vector<double> moved = merge_at_corner(random, lane, lse);
    for (std::size_t j = 0; j < kLatent; ++j) {
      worst = std::max(worst, std::abs(moved[j] - o[j]) / error[j]);
    }
    worst_lse = std::max(worst_lse, std::abs(lse - result.lse) / result.lse_error);
  }
  EXPECT_LE(worst, 1);
  EXPECT_GT(worst, 0.9);
  EXPECT_LE(worst_lse, 1);
  EXPECT_GT(worst_lse, 0.9);
}

TEST(SpanBound, OfExactPartialsIsTheBoundOfTheMerge) {
  const Contract& contract = find_contract("cpu");
  const std::vector<double> one{1, 1}, three{3, 3}, exact{0, 0};
  const std::vector<bounds::SpanPart> parts{{0.5, 0, 0.5, one, exact}, {0.5, 0, 0.5, three, exact}};
  std::vector<double> o(2), error(2);
  const bounds::SpanResult result =
      bounds::merged(contract, {LseForm::ln, Dtype::bf16}, 2, parts, o, error);
  bounds::MergeFacts facts;
  facts.parts = 2;
  facts.lse = 0.5 + std::log(2.0);
  facts.max_size = 0.5;
  const bounds::MergeBound rule = bounds::merge(contract, facts);
  EXPECT_NEAR(o[0], 2, 1e-15);
  EXPECT_NEAR(error[0], rule.magnitude * 2 + rule.spread * 1, 1e-18);
  EXPECT_DOUBLE_EQ(result.lse, facts.lse);
  EXPECT_DOUBLE_EQ(result.lse_error, rule.lse);
}

TEST(SpanBound, SaysWhenItKnowsNothing) {
  const Contract& contract = find_contract("cpu");
  const std::vector<double> value{1}, exact{0};
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<double> lost{infinity};
  std::vector<double> o(1), error(1);
  const auto credible = [&](const bounds::SpanPart& part) {
    return bounds::merged(contract, {LseForm::ln, Dtype::bf16}, 1, {&part, 1}, o, error).credible;
  };
  EXPECT_TRUE(credible({0, 0.01, 0, value, exact}));
  EXPECT_FALSE(credible({0, 0.06, 0, value, exact}));
  EXPECT_FALSE(credible({0, 0.01, 0, value, lost}));
  EXPECT_FALSE(credible({std::nan(""), 0.01, 0, value, exact}));
}

TEST(SpanBound, StoredPartialsIncludeTheirRounding) {
  bounds::AttendFacts facts;
  facts.visible = 10;
  facts.width = 12;
  facts.head.score_scale = 1;
  const std::vector<double> o{1.5, 0, 70000}, square{4, 0, 70000.0 * 70000}, sums{15, 0, 700000};
  std::vector<double> error(3);
  const Contract& contract = find_contract("cpu");
  bounds::stored_partial(contract, facts, Dtype::fp16, o, square, sums, error);
  const double before = bounds::attend_value(contract, facts)(4, 1.5, 15);
  EXPECT_DOUBLE_EQ(error[0], before + half_ulp(Dtype::fp16, 1.5));
  EXPECT_EQ(error[1], 0);
  EXPECT_TRUE(std::isinf(error[2]));
  EXPECT_GT(bounds::stored_lse(contract, facts), bounds::attend_lse(contract, facts));
}

}  // namespace
}  // namespace helixcheck
