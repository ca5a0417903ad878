// The estimate against forecasts of the scenarios themselves.

#include "fuzz/level_cost.hpp"

#include <gtest/gtest.h>
#include <vector>

#include "generate/cost.hpp"
#include "generate/level_draw.hpp"

namespace helixcheck {
namespace {

TEST(LevelCost, TellsCheapFromDear) {
  struct One {
    double estimate, forecast;
  };
  std::vector<One> all;
  CounterChoices choices(5, 0);
  for (int i = 0; i < 400; ++i) {
    const Selection selection = draw_selection(~LevelSet(), choices);
    const Scenario scenario = realise(selection, choices, Size::small);
    all.push_back({LevelCost::get().seconds(selection), forecast_seconds(scenario)});
  }
  int pairs = 0, right = 0, within = 0;
  for (const One& a : all) {
    within += a.estimate < 4 * a.forecast && a.forecast < 4 * a.estimate ? 1 : 0;
    for (const One& b : all) {
      if (b.forecast < 10 * a.forecast) continue;
      ++pairs;
      right += a.estimate < b.estimate ? 1 : 0;
    }
  }
  EXPECT_GT(within, 320);
  ASSERT_GT(pairs, 500);
  EXPECT_GT(right, pairs * 95 / 100);
}

TEST(LevelCost, WeighsDearLevelsLessAndKeepsWhatTheTableKeepsRare) {
  const std::span<const int> weights = LevelCost::get().weights();
  ASSERT_EQ(weights.size(), level_count());
  for (std::size_t f = 0; f < features().size(); ++f) {
    const Feature& feature = features()[f];
    const auto weight = [&](std::size_t l) { return weights[first_level(f) + l]; };
    for (std::size_t l = 0; l < feature.levels.size(); ++l) EXPECT_GT(weight(l), 0);
    if (feature.name == "entry" || feature.name == "observe") {
      for (std::size_t l = 0; l < feature.levels.size(); ++l) {
        EXPECT_EQ(weight(l), feature.levels[l].weight) << feature.name;
      }
    }
    if (feature.name == "kvp") {
      EXPECT_GT(weight(1), 4 * weight(6)) << "1 rank, 9 to 16";
    }
    if (feature.name == "rms_norm_eps") {
      EXPECT_LT(weight(0), 2 * weight(1));
    }
  }
}

}  // namespace
}  // namespace helixcheck
