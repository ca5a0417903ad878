// The acceptance set at the edges of formats, against its definition, and the tally's book-keeping.

#include "verdict/compare.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>

#include "mla/formats.hpp"

namespace helixcheck {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(Accepts, OneCodeWhereTheBoundIsZero) {
  EXPECT_TRUE(accepts(Dtype::bf16, 1.0, 1.0 + 0x1p-9, 0));
  EXPECT_FALSE(accepts(Dtype::bf16, 1.0 + 0x1p-7, 1.0 + 0x1p-9, 0));
  EXPECT_TRUE(accepts(Dtype::bf16, 1.0, 1.0 + 0x1p-8, 0));  // a tie goes to even
  EXPECT_FALSE(accepts(Dtype::bf16, 1.0 + 0x1p-7, 1.0 + 0x1p-8, 0));
  EXPECT_TRUE(accepts(Dtype::bf16, 1.0 + 0x1p-7, 1.0 + 0x1p-8, 1e-9));  // or up, if B allows it
}

TEST(Accepts, TheBoundReachesEquallyFarBothWays) {
  const double bound = 0x1.8p-7;  // one and a half spacings
  EXPECT_TRUE(accepts(Dtype::bf16, 1.5 - 0x1p-7, 1.5, bound));
  EXPECT_TRUE(accepts(Dtype::bf16, 1.5 + 0x1p-7, 1.5, bound));
  EXPECT_FALSE(accepts(Dtype::bf16, 1.5 - 0x1.8p-6, 1.5, bound));
  EXPECT_FALSE(accepts(Dtype::bf16, 1.5 + 0x1.8p-6, 1.5, bound));
}

TEST(Accepts, BelowAPowerOfTwoTheSpacingHalves) {
  EXPECT_TRUE(accepts(Dtype::bf16, 1.0, 1.0 - 0x1p-10, 0));
  EXPECT_FALSE(accepts(Dtype::bf16, 1.0, 1.0 - 0x1p-8, 0));  // itself a code
  EXPECT_TRUE(accepts(Dtype::bf16, 1.0 - 0x1p-8, 1.0 - 0x1p-8, 0));
  EXPECT_FALSE(accepts(Dtype::bf16, 1.0, 1.0 - 0x1p-8, 0x1p-10));
  EXPECT_TRUE(accepts(Dtype::bf16, 1.0, 1.0 - 0x1p-8, 0x1p-9));
}

TEST(Accepts, Subnormals) {
  const double smallest = traits(Dtype::fp16).min_subnormal;
  EXPECT_TRUE(accepts(Dtype::fp16, smallest, 0.6 * smallest, 0));
  EXPECT_TRUE(accepts(Dtype::fp16, 0.0, 0.4 * smallest, 0));
  EXPECT_TRUE(accepts(Dtype::fp16, -0.0, 0.4 * smallest, 0));
  EXPECT_FALSE(accepts(Dtype::fp16, 0.0, 0.6 * smallest, 0));
  EXPECT_FALSE(accepts(Dtype::fp16, -smallest, 0.6 * smallest, 0.5 * smallest));
}

TEST(Accepts, OverflowAndSaturation) {
  EXPECT_TRUE(accepts(Dtype::fp16, kInfinity, 70000, 0));
  EXPECT_FALSE(accepts(Dtype::fp16, 65504, 70000, 0));
  EXPECT_TRUE(accepts(Dtype::fp16, 65504, 70000, 5000));
  EXPECT_FALSE(accepts(Dtype::fp16, kInfinity, 65504, 0));
  EXPECT_TRUE(accepts(Dtype::fp8_e4m3, 448, 1e6, 0));
  EXPECT_FALSE(accepts(Dtype::fp8_e4m3, 416, 1e6, 0));
}

TEST(Accepts, NanAndInfinityMatchThemselvesOnly) {
  EXPECT_TRUE(accepts(Dtype::fp32, kNan, kNan, 0));
  EXPECT_FALSE(accepts(Dtype::fp32, kNan, 1.0, kInfinity));
  EXPECT_FALSE(accepts(Dtype::fp32, 1.0, kNan, kInfinity));
  EXPECT_TRUE(accepts(Dtype::fp32, -kInfinity, -kInfinity, 0));
  EXPECT_FALSE(accepts(Dtype::fp32, kInfinity, -kInfinity, 1));
  EXPECT_FALSE(accepts(Dtype::fp32, -1e38, -kInfinity, 1));
}

TEST(ErrorRatio, IsAboveOneExactlyWhenRejected) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> uniform(-1, 1);
  for (const Dtype dtype : {Dtype::bf16, Dtype::fp16, Dtype::fp32, Dtype::fp8_e4m3}) {
    int rejected = 0;
    for (int i = 0; i < 20000; ++i) {
      const double want = std::ldexp(uniform(random), static_cast<int>(12 * uniform(random)));
      const double spacing = 2 * half_ulp(dtype, want);
      double bound = i % 4 == 0 ? 0 : std::abs(uniform(random)) * spacing;
      double got = round_to(dtype, want + 2.5 * uniform(random) * spacing);
      if (i % 4 == 1) {  // a bound that reaches into the next binade, and a value at its end
        bound = std::abs(want) * (1 + uniform(random));
        const double end = want + std::copysign(bound, want);
        got = round_to(dtype, end + 4 * uniform(random) * half_ulp(dtype, end));
      }
      const bool accepted = accepts(dtype, got, want, bound);
      const double ratio = error_ratio(dtype, got, want, bound);
      ASSERT_EQ(ratio > 1, !accepted) << got << ' ' << want << ' ' << bound;
      Tally tally;  // has a shortcut of its own
      tally.compare(dtype, got, want, bound, {});
      ASSERT_EQ(tally.failed(), !accepted) << got << ' ' << want << ' ' << bound;
      ASSERT_EQ(tally.result(Tap::q).worst_ratio, ratio);
      rejected += !accepted;
    }
    EXPECT_GT(rejected, 2000);
    EXPECT_LT(rejected, 18000);
  }
}

TEST(ErrorRatio, GrowsWithTheError) {
  EXPECT_EQ(error_ratio(Dtype::bf16, 1.0, 1.0, 0), 0);
  EXPECT_DOUBLE_EQ(error_ratio(Dtype::bf16, 1.0, 1.0 + 0x1p-9, 0), 0.5);
  EXPECT_DOUBLE_EQ(error_ratio(Dtype::bf16, 2.0, 1.0, 0), 256);
  EXPECT_DOUBLE_EQ(error_ratio(Dtype::bf16, 2.0, 1.0, 0x1p-8), 128);
  EXPECT_EQ(error_ratio(Dtype::bf16, kNan, 1.0, 0), kInfinity);
  EXPECT_EQ(error_ratio(Dtype::fp8_e4m3, 448, 1e6, 0), 1.0);
}

TEST(Tally, KeepsTheWorstPlace) {
  Tally tally;
  const double got[] = {1.0, 2.0, 4.0}, want[] = {1.0, 2.5, 4.0}, bound[] = {0.01, 0.01, 0.01};
  Place place;
  place.row = 3;
  place.element = 10;
  tally.compare(Dtype::bf16, got, want, bound, place);
  const TapResult r = tally.result(Tap::combined);
  EXPECT_EQ(r.tap, Tap::combined);
  EXPECT_EQ(r.values, 3);
  EXPECT_EQ(r.failures, 1);
  EXPECT_EQ(r.worst.row, 3);
  EXPECT_EQ(r.worst.element, 11);
  EXPECT_EQ(r.worst_got, 2.0);
  EXPECT_EQ(r.worst_want, 2.5);
  EXPECT_EQ(r.max_abs_error, 0.5);
  EXPECT_NEAR(r.blindness, 0.01 * std::sqrt(3.0) / std::sqrt(1 + 6.25 + 16), 1e-15);
  EXPECT_FALSE(r.exact);
}

TEST(Tally, CodesMustAgreeBitForBit) {
  const float got[] = {1.0f, -0.0f, 3.0f}, want[] = {1.0f, 0.0f, 3.0f};
  Tally tally;
  tally.compare_codes(Dtype::fp32, got, want, 3, {});
  const TapResult r = tally.result(Tap::exchanged);
  EXPECT_EQ(r.failures, 1);
  EXPECT_GT(r.worst_ratio, 1.0);
  EXPECT_TRUE(r.exact);
  EXPECT_EQ(r.blindness, 0);
}

TEST(Tally, IntegersAreExact) {
  Tally tally;
  tally.compare_integer(7, 7, {});
  EXPECT_FALSE(tally.failed());
  tally.compare_integer(7, 10, {});
  EXPECT_EQ(tally.result(Tap::slot).worst_ratio, 6);
  EXPECT_EQ(tally.result(Tap::slot).failures, 1);
}

TEST(Tally, DerivedValuesHaveNoStoreOfTheirOwn) {
  Tally tally;
  tally.compare_derived(1.0 + 1e-9, 1.0, 2e-9, {});
  tally.compare_derived(-kInfinity, -kInfinity, 0, {});
  EXPECT_FALSE(tally.failed());
  EXPECT_NEAR(tally.result(Tap::lse).worst_ratio, 0.5, 1e-6);
  tally.compare_derived(1.0 + 3e-9, 1.0, 2e-9, {});
  EXPECT_EQ(tally.result(Tap::lse).failures, 1);
  tally.compare_derived(kNan, 1.0, 1.0, {});
  tally.compare_derived(kInfinity, 1.0, kInfinity, {});
  EXPECT_EQ(tally.result(Tap::lse).failures, 3);
}

TEST(Tally, AbsorbsAnother) {
  Tally a, b;
  a.compare(Dtype::fp32, 1.0, 1.5, 0.1, {});
  Place place;
  place.rank = 2;
  b.compare(Dtype::fp32, 1.0, 4.0, 0.1, place);
  b.count_equal(5);
  a.absorb(b);
  const TapResult r = a.result(Tap::q);
  EXPECT_EQ(r.values, 7);
  EXPECT_EQ(r.failures, 2);
  EXPECT_EQ(r.worst.rank, 2);
  EXPECT_EQ(r.max_abs_error, 3.0);
}

}  // namespace
}  // namespace helixcheck
