#include "bench/samples.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <numeric>
#include <vector>

namespace helixcheck::bench {
namespace {

TEST(Summary, IsOfNearestRanks) {
  std::vector<double> samples(100);
  std::iota(samples.rbegin(), samples.rend(), 1.0);
  const Summary summary = summarize(samples);
  EXPECT_EQ(summary.p50, 50);
  EXPECT_EQ(summary.p90, 90);
  EXPECT_EQ(summary.p99, 99);
  EXPECT_NEAR(summary.noise, 100 * 29.0115 / 50.5, 1e-3);
}

TEST(Summary, OfOneSampleIsThatSample) {
  const std::vector<double> one = {7};
  const Summary summary = summarize(one);
  EXPECT_EQ(summary.p50, 7);
  EXPECT_EQ(summary.p99, 7);
  EXPECT_EQ(summary.noise, 0);
}

TEST(Summary, IsNoNumberWithoutSamples) {
  EXPECT_TRUE(std::isnan(Summary{}.p50));
}

}  // namespace
}  // namespace helixcheck::bench
