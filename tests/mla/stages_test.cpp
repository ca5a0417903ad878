// The thin stages against figures worked out by hand or by the plainest loop.

#include "mla/stages.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <numbers>
#include <vector>

#include "mla/formats.hpp"
#include "support/hash.hpp"

namespace helixcheck {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

using Values = std::vector<double>;

TEST(Linear, MultipliesByTheTranspose) {
  const Values x{1, 2, 3, 4, 5, 6};
  const Values w{1, 0, 0, 0, 1, 0, 1, 1, 1, 0.5, 0, -1};
  Values y(8, kNan);
  stages::linear(x, w, 2, 3, 4, y);
  EXPECT_EQ(y, (Values{1, 2, 6, -2.5, 4, 5, 15, -4}));
}

TEST(RmsNorm, DividesByTheRootMeanSquare) {
  const Values x{3, -4, 0, 5};  // mean square 12.5
  const Values w{1, 2, 3, -1};
  Values y(4);
  stages::rms_norm(x, w, 3.5, y);
  EXPECT_EQ(y, (Values{0.75, -2, 0, -1.25}));
}

TEST(Rope, RotatesInterleavedPairs) {
  const RopeTable table{{1.0, 0.5}, 1.0, 1.0};
  Values x{1, 0, 0, 2};
  stages::rope(x, 3, table, true);
  const Values want{std::cos(3.0), std::sin(3.0), -2 * std::sin(1.5), 2 * std::cos(1.5)};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(x[i], want[i], 1e-15) << i;
}

TEST(Rope, RotatesHalvesAndScales) {
  const RopeTable table{{1.0, 0.5}, 1.25, 1.0};
  Values x{1, 0, 0, 2};
  stages::rope(x, 3, table, false);
  const Values want{std::cos(3.0), -2 * std::sin(1.5), std::sin(3.0), 2 * std::cos(1.5)};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(x[i], 1.25 * want[i], 1e-15) << i;
}

TEST(Rope, KeepsPairLengthsAtAMillion) {
  const RopeTable table{{1.0}, 1.0, 1.0};
  Values x{3, 4};
  stages::rope(x, 1000000, table, true);
  EXPECT_NEAR(std::hypot(x[0], x[1]), 5, 1e-14);
  EXPECT_NEAR(x[0], 3 * std::cos(1e6) - 4 * std::sin(1e6), 1e-14);
}

TEST(Attend, ReadsScaledCodes) {
  const Values keys{1, 2, 0.5, -1, 0, 3};  // rows of R = 2, P = 1
  std::vector<std::byte> codes(keys.size());
  encode_from(Dtype::fp8_e4m3, std::span<const double>(keys), codes.data());
  const Values q{0.5, 0.25, 1};
  const std::vector<std::int64_t> visible{2};
  const auto result =
      stages::attend(q, {Dtype::fp8_e4m3, 2.0, codes.data()}, visible, 1, 2, 1, 0.5);
  // Keys 2, 4, 1 and -2, 0, 6: scaled scores 1.5 and 2.5.
  const double p = 1 / (1 + std::exp(1.0));
  EXPECT_NEAR(result.heads[0].lse, std::log(std::exp(1.5) + std::exp(2.5)), 1e-15);
  EXPECT_NEAR(result.o[0], 2 * p - 2 * (1 - p), 1e-15);
  EXPECT_NEAR(result.o[1], 4 * p, 1e-15);
}

struct Merged {
  double lse;
  Values o, magnitude, spread;
};

Merged merge(const Values& x, const Values& lse) {
  const std::size_t latent = x.size() / lse.size();
  Merged m{0, Values(latent, kNan), Values(latent, kNan), Values(latent, kNan)};
  m.lse = stages::merge(x, lse, static_cast<std::int64_t>(latent), m.o, m.magnitude, m.spread);
  return m;
}

TEST(Merge, WeighsByTheExponentials) {
  const Merged m = merge({4, -8, 1, 0, -2, 2}, {std::log(1.0), std::log(2.0), std::log(5.0)});
  EXPECT_NEAR(m.lse, std::log(8.0), 1e-15);
  EXPECT_NEAR(m.o[0], (4 + 2 - 10) / 8.0, 1e-15);
  EXPECT_NEAR(m.o[1], (-8 + 0 + 10) / 8.0, 1e-15);
  EXPECT_NEAR(m.magnitude[0], (4 + 2 + 10) / 8.0, 1e-15);
  EXPECT_NEAR(m.spread[0], (4.5 + 2 * 1.5 + 5 * 1.5) / 8.0, 1e-15);
  EXPECT_NEAR(m.spread[1], (8.25 + 2 * 0.25 + 5 * 1.75) / 8.0, 1e-15);
}

TEST(Merge, ShiftsOfAllLseLeaveTheResult) {
  const Values x{4, -8, 1, 0};
  const Merged m = merge(x, {1, 2});
  const Merged shifted = merge(x, {-70001, -70000});
  EXPECT_EQ(m.o, shifted.o);
  EXPECT_EQ(shifted.lse, m.lse - 70002);
}

TEST(Merge, EmptyPartialsHaveNoWeightWhateverTheyHold) {
  const Merged m = merge({kNan, kInfinity, 3, 4, kNan, -kInfinity}, {-kInfinity, 0.5, -kInfinity});
  EXPECT_EQ(m.lse, 0.5);
  EXPECT_EQ(m.o, (Values{3, 4}));
  EXPECT_EQ(m.magnitude, (Values{3, 4}));
  EXPECT_EQ(m.spread, (Values{0, 0}));
}

TEST(Merge, AllEmptyIsZero) {
  const Merged m = merge({kNan, 1, kNan, 2}, {-kInfinity, -kInfinity});
  EXPECT_EQ(m.lse, -kInfinity);
  EXPECT_EQ(m.o, (Values{0, 0}));
  EXPECT_EQ(m.spread, (Values{0, 0}));
}

TEST(Merge, NanStatisticsAreNotHidden) {
  for (const Values& lse : {Values{kNan, 1}, Values{1, kNan}, Values{-kInfinity, kNan}}) {
    const Merged m = merge({1, 2}, lse);
    EXPECT_TRUE(std::isnan(m.lse));
    EXPECT_TRUE(std::isnan(m.o[0]));
  }
}

}  // namespace
}  // namespace helixcheck
