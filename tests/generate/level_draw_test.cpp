// What series and genomes share: levels that go together, and cost against worth.

#include "generate/level_draw.hpp"

#include <gtest/gtest.h>

namespace helixcheck {
namespace {

TEST(DrawSwarm, KeepsPlainLevelsAndAboutHalfOfTheOthers) {
  CounterChoices choices(1, 0);
  std::size_t on = 0, other = 0;
  for (int i = 0; i < 100; ++i) {
    const LevelSet swarm = draw_swarm(choices);
    for (std::size_t level = 0; level < level_count(); ++level) {
      const bool plain = level == first_level(feature_of(level));
      EXPECT_TRUE(!plain || swarm[level]) << level_text(level);
      on += !plain && swarm[level] ? 1 : 0;
      other += plain ? 0 : 1;
    }
  }
  EXPECT_NEAR(static_cast<double>(on) / static_cast<double>(other), 0.5, 0.05);
}

TEST(DrawLevel, DrawsWhatIsAllowedByWeight) {
  CounterChoices choices(2, 0);
  LevelSet allowed = ~LevelSet();
  const std::size_t kvp = 1, first = first_level(kvp);
  ASSERT_EQ(features()[kvp].name, "kvp");
  allowed[first + 2] = false;
  std::vector<int> counts(features()[kvp].levels.size());
  for (int i = 0; i < 12000; ++i) ++counts[draw_level(kvp, allowed, choices)];
  EXPECT_EQ(counts[2], 0);
  EXPECT_NEAR(counts[0], 6000, 400);  // weight 6 of 12
  EXPECT_NEAR(counts[1], 1000, 200);
}

TEST(LevelsFor, ALargerSizeLeavesTheLongContextAlone) {
  const LevelChoice context = long_context();
  const LevelSet levels = levels_for(Size::medium, ~LevelSet());
  for (std::size_t l = 0; l < features()[context.feature].levels.size(); ++l) {
    EXPECT_EQ(levels[first_level(context.feature) + l], l == context.level);
  }
  EXPECT_EQ(levels_for(Size::small, ~LevelSet()), ~LevelSet());
}

TEST(WorthItsCost, FallsWithTheCost) {
  CounterChoices choices(3, 0);
  int usual = 0, dear = 0;
  for (int i = 0; i < 10000; ++i) {
    usual += worth_its_cost(50e-6, Size::small, choices) ? 1 : 0;
    dear += worth_its_cost(600e-6, Size::small, choices) ? 1 : 0;
  }
  EXPECT_EQ(usual, 10000);
  EXPECT_NEAR(dear, 1000, 150);
}

}  // namespace
}  // namespace helixcheck
