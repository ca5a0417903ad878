// Pairs are numbered by level: each drawn, missing or impossible, and none lost.

#include "report/coverage_json.hpp"

#include <gtest/gtest.h>

#include "generate/compatibility.hpp"

namespace helixcheck {
namespace {

// The first two levels of different features that can meet.
std::pair<std::size_t, std::size_t> a_pair() {
  for (std::size_t b = first_level(1);; ++b) {
    if (Compatibility::get().together(0, b)) return {0, b};
  }
}

TEST(CoverageJson, TellsDrawnFromMissingFromImpossible) {
  const auto [a, b] = a_pair();
  const Json json = coverage_json({{1, level_text(a), level_text(b), 41},
                                   {1, level_text(a), level_text(a), 50},
                                   {1, level_text(b), level_text(b), 0}});
  EXPECT_EQ(json.at("drawn"), 1);
  EXPECT_EQ(json.at("pairs"), Json::array({Json::array({a, a, 50}), Json::array({a, b, 41})}));
  EXPECT_EQ(json.at("never").size(), Compatibility::get().pairs() - 1);
  EXPECT_EQ(json.at("impossible").size(), Compatibility::get().exclusions().size());
  for (const Json& pair : json.at("never")) EXPECT_NE(pair, Json::array({a, b}));
  for (const Json& pair : json.at("impossible")) {
    EXPECT_LT(pair.at(2).get<std::size_t>(), json.at("reasons").size());
  }
}

TEST(CoverageJson, NumbersLevelsAsTheTableDoes) {
  const Json json = coverage_json({});
  std::size_t level = 0;
  for (const Json& feature : json.at("features")) {
    EXPECT_EQ(feature.at("first"), level);
    for (const Json& name : feature.at("levels")) {
      EXPECT_EQ(feature.at("name").get<std::string>() + " " + name.get<std::string>(),
                level_text(level++));
    }
  }
  EXPECT_EQ(level, level_count());
}

TEST(CoverageJson, KeepsLevelsOfOtherVersions) {
  const Json json = coverage_json({{1, level_text(0), "colour green", 3}});
  EXPECT_EQ(json.at("pairs"), Json::array({Json::array({0, level_count(), 3})}));
  EXPECT_EQ(json.at("features").back().at("name"), "colour green");
}

TEST(CoverageJson, CountsAPairOnceWhicheverComesFirst) {
  const auto [a, b] = a_pair();
  const Json json =
      coverage_json({{1, level_text(a), level_text(b), 2}, {1, level_text(b), level_text(a), 3}});
  EXPECT_EQ(json.at("pairs"), Json::array({Json::array({a, b, 5})}));
}

TEST(TapsJson, FollowsThePipeline) {
  const Json json = taps_json({{1, "unheard_of", 1, {}},
                               {1, "output", 0.5, {{-1, 7}, {-60, 2}}},
                               {1, "lse", 0.25, {}},
                               {1, "position", 0, {}}});
  ASSERT_EQ(json.size(), 4u);
  EXPECT_EQ(json.at(0).at("tap"), "position");
  EXPECT_EQ(json.at(1).at("stage"), "attend");
  EXPECT_EQ(json.at(2).at("cases"), Json::array({Json::array({-60, 2}), Json::array({-1, 7})}));
  EXPECT_EQ(json.at(3).at("tap"), "unheard_of");
  EXPECT_EQ(json.at(3).at("stage"), "");
}

}  // namespace
}  // namespace helixcheck
