// Records, what counts as new, and which record holders are gone on from.

#include "fuzz/climb.hpp"

#include <gtest/gtest.h>

#include "generate/level_draw.hpp"

namespace helixcheck {
namespace {

TapResult tap(Tap which, double ratio) {
  TapResult result;
  result.tap = which;
  result.worst_ratio = ratio;
  return result;
}

// A genome that a test recognises.
Genome genome_number(std::uint8_t number) {
  Genome genome = genome_of({});
  genome.property = number;
  return genome;
}

class ClimbTest : public testing::Test {
 protected:
  std::string learn(std::uint8_t number, std::initializer_list<TapResult> taps,
                    double cost_s = 50e-6, std::optional<std::size_t> parent = std::nullopt) {
    const Genome genome = genome_number(number);
    return climb.learn(genome, levels_of(genome), std::span(taps.begin(), taps.size()), cost_s,
                       parent);
  }
  // How often, of 1000, each of the genomes is chosen.
  std::vector<int> chosen() {
    std::vector<int> counts(256);
    for (int i = 0; i < 1000; ++i) {
      if (const auto parent = climb.choose(choices)) ++counts[parent->genome->property];
    }
    return counts;
  }

  Climb climb;
  CounterChoices choices{1, 0};
};

TEST(RatioBucket, IsTheFloorOfTheLogarithm) {
  EXPECT_EQ(ratio_bucket(1), 0);
  EXPECT_EQ(ratio_bucket(0.99), -1);
  EXPECT_EQ(ratio_bucket(0.5), -1);
  EXPECT_EQ(ratio_bucket(0.49), -2);
  EXPECT_EQ(ratio_bucket(3), 1);
  EXPECT_EQ(ratio_bucket(0), -60);
  EXPECT_EQ(ratio_bucket(1e-300), -60);
}

TEST_F(ClimbTest, HasNobodyToGoOnFromAtFirst) {
  EXPECT_FALSE(climb.choose(choices));
  EXPECT_EQ(learn(1, {}), "");
  EXPECT_FALSE(climb.choose(choices));
}

TEST_F(ClimbTest, NamesWhatIsNew) {
  EXPECT_EQ(learn(1, {tap(Tap::lse, 0.3)}), "lse 2^-2");
  EXPECT_EQ(learn(2, {tap(Tap::lse, 0.3)}), "");
  EXPECT_EQ(learn(3, {tap(Tap::lse, 0.31)}), "") << "less than a step";
  EXPECT_EQ(learn(4, {tap(Tap::lse, 0.6)}), "lse 2^-1");
  EXPECT_EQ(learn(5, {tap(Tap::lse, 0.01)}), "lse 2^-7") << "a ratio not seen before";
  EXPECT_EQ(climb.behaviours(), 3u);
  const auto counts = chosen();
  EXPECT_EQ(counts[4], 1000) << "holds all records";
}

TEST_F(ClimbTest, DoesNotClimbOnWhatIsExactOrFailed) {
  TapResult exact = tap(Tap::position, 0.4);
  exact.exact = true;
  EXPECT_EQ(learn(1, {exact, tap(Tap::lse, 2), tap(Tap::output, 0)}), "");
  EXPECT_FALSE(climb.choose(choices));
}

// Most values of 16 bits come as close to their bounds as a passing one can.
TEST_F(ClimbTest, SaturatedTapsDoNotCount) {
  for (int i = 0; i < 100; ++i) {
    learn(1, {tap(Tap::partial_o, i % 2 == 0 ? 0.8 : 0.95), tap(Tap::lse, 0.05)});
  }
  EXPECT_EQ(learn(2, {tap(Tap::partial_o, 0.99)}), "");
  learn(3, {tap(Tap::lse, 0.2)});
  const auto counts = chosen();
  EXPECT_EQ(counts[1], 0);
  EXPECT_GT(counts[3], 900);
}

TEST_F(ClimbTest, GoesOnFromWhereRecordsFall) {
  learn(1, {tap(Tap::lse, 0.05)});
  learn(2, {tap(Tap::output, 0.05)});
  for (const double ratio : {0.1, 0.2, 0.4}) learn(3, {tap(Tap::output, ratio)});
  const auto counts = chosen();
  EXPECT_GT(counts[3], 3 * counts[1]);
}

TEST_F(ClimbTest, LosesInterestInParentsWithoutSuccess) {
  learn(1, {tap(Tap::lse, 0.1)});
  learn(2, {tap(Tap::output, 0.1)});
  for (int i = 0; i < 3000; ++i) {
    const auto parent = climb.choose(choices);
    ASSERT_TRUE(parent);
    if (parent->genome->property == 1) learn(9, {}, 50e-6, parent->cell);
  }
  const auto counts = chosen();
  EXPECT_GT(counts[2], 3 * counts[1]);
  EXPECT_LT(climb.success(), 0.01);
}

TEST_F(ClimbTest, PrefersCheapHolders) {
  learn(1, {tap(Tap::lse, 0.1)}, 5e-3);
  learn(2, {tap(Tap::output, 0.1)}, 50e-6);
  const auto counts = chosen();
  EXPECT_GT(counts[2], 3 * counts[1]);
}

TEST_F(ClimbTest, CountsSuccessOfChildren) {
  learn(1, {tap(Tap::lse, 0.01)});
  double ratio = 0.01;
  for (int i = 0; i < 20; ++i) {
    const auto parent = climb.choose(choices);
    ASSERT_TRUE(parent);
    ratio *= 1.25;
    learn(1, {tap(Tap::lse, ratio)}, 50e-6, parent->cell);
  }
  EXPECT_GT(climb.success(), 0.15);
}

}  // namespace
}  // namespace helixcheck
