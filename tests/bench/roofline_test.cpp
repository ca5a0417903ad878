// Against the figures of the closed formulas, worked out by hand.

#include "bench/roofline.hpp"

#include <gtest/gtest.h>

#include "bench/shapes.hpp"

namespace helixcheck::bench {
namespace {

constexpr Rates kH100{3.0e12, 798e12};

Roof roof(std::int64_t batch, std::int64_t heads, std::int64_t ctx) {
  const Scenario scenario = scenario_of({}, {batch, heads, ctx, 1});
  return roof_of(attend_work(scenario, ctx, 1), kH100);
}

TEST(Roofline, OfFewHeadsIsThatOfMemory) {
  EXPECT_NEAR(roof(1, 64, 32768).us, 12.6, 0.05);
  EXPECT_NEAR(roof(8, 16, 4096).us, 12.7, 0.1);
  EXPECT_NEAR(roof(64, 32, 8192).us, 202, 3);
  EXPECT_TRUE(roof(64, 64, 8192).memory_bound);
}

TEST(Roofline, OfManyHeadsOnFastMemoryIsThatOfProducts) {
  const Scenario scenario = scenario_of({}, {1, 128, 131072, 1});
  const AttendWork work = attend_work(scenario, 131072, 1);
  EXPECT_DOUBLE_EQ(work.flops, 2176.0 * 128 * 131072);
  EXPECT_EQ(work.flops, work.issued_flops);
  EXPECT_NEAR(roof_of(work, {4.3e12, 798e12}).us, 45.7, 0.1);
  EXPECT_FALSE(roof_of(work, {4.3e12, 798e12}).memory_bound);
}

TEST(Roofline, PadsRowsOfMatrixInstructions) {
  const AttendWork work = attend_work(scenario_of({}, {1, 16, 4096, 1}), 4096, 1);
  EXPECT_DOUBLE_EQ(work.issued_flops, 4 * work.flops);
}

TEST(Roofline, CountsTheRanksOfOneDevice) {
  const Scenario scenario = scenario_of({}, {8, 32, 8192, 2});
  const AttendWork one = attend_work(scenario, 4096, 1), both = attend_work(scenario, 8192, 2);
  EXPECT_DOUBLE_EQ(both.flops, 2 * one.flops);
  EXPECT_DOUBLE_EQ(both.bytes, 2 * one.bytes);
}

TEST(Roofline, ExchangeSendsAllButTheOwnHeads) {
  EXPECT_DOUBLE_EQ(exchange_bytes(scenario_of({}, {1, 128, 4096, 4})), 3.0 * 32 * (1024 + 4));
  EXPECT_DOUBLE_EQ(exchange_bytes(scenario_of({}, {1, 128, 4096, 1})), 0);
}

}  // namespace
}  // namespace helixcheck::bench
