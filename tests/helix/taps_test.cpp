// Names and stages of the taps.

#include "helix/taps.hpp"

#include <gtest/gtest.h>
#include <set>
#include <string>

namespace helixcheck {
namespace {

TEST(Taps, HaveDistinctNamesInStageOrder) {
  std::set<std::string> names;
  Stage stage = Stage::plan;
  for (int i = 0; i < kTapCount; ++i) {
    const auto tap = static_cast<Tap>(i);
    EXPECT_TRUE(names.emplace(name_of(tap)).second) << name_of(tap);
    EXPECT_GE(stage_of(tap), stage) << name_of(tap);
    stage = stage_of(tap);
  }
  EXPECT_EQ(stage_of(Tap::cache_rows), Stage::append);
  EXPECT_EQ(stage_of(Tap::lse), Stage::attend);
  EXPECT_EQ(stage, Stage::output);
}

TEST(Taps, CountTheirElements) {
  TapView view;
  view.shape = {2, 3, 5};
  EXPECT_EQ(view.elements(), 30);
  view.shape = {4, 0};
  EXPECT_EQ(view.elements(), 0);
}

}  // namespace
}  // namespace helixcheck
