// Powers of two that divide all values, and what follows for exact sums.

#include "verdict/granule.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <vector>

#include "mla/formats.hpp"

namespace helixcheck {
namespace {

TEST(Granule, IsTheLargestCommonPowerOfTwo) {
  EXPECT_EQ(granule(std::vector<double>{3, -5, 0, 8}), 1);
  EXPECT_EQ(granule(std::vector<double>{0.75, 2}), 0.25);
  EXPECT_EQ(granule(std::vector<double>{-1024, 0x1.8p12}), 1024);
  EXPECT_EQ(granule(std::vector<double>{0x1p-140}), 0x1p-140);
  EXPECT_EQ(granule(std::vector<double>{0, 0}), std::numeric_limits<double>::infinity());
  EXPECT_EQ(granule(std::vector<double>{1, std::nan("")}), 0);
}

TEST(Granule, OfCacheRowsIncludesTheirScale) {
  const std::vector<double> rows{1, 2, 3, 4, 6, 8};
  std::vector<std::byte> codes(rows.size());
  encode_from(Dtype::fp8_e4m3, std::span<const double>(rows), codes.data());
  EXPECT_EQ(granule({Dtype::fp8_e4m3, 0.5, codes.data()}, 2, 3), 0.5);
  EXPECT_LT(granule({Dtype::fp8_e4m3, 0.1, codes.data()}, 2, 3), 1e-10);
}

TEST(Granule, SumsBelow2To24AreExact) {
  EXPECT_TRUE(exact_in_fp32(1000, 1));
  EXPECT_FALSE(exact_in_fp32(1000, 0x1p-20));
}

}  // namespace
}  // namespace helixcheck
