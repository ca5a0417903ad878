// Which scenario and property stand behind a case's number: a function of the seed and the number,
// with the chosen properties only, each where it applies.

#include "campaign/case_source.hpp"

#include <gtest/gtest.h>
#include <map>
#include <thread>

#include "scenario/error.hpp"
#include "scenario/validate.hpp"
#include "subject/cpu/subject.hpp"

namespace helixcheck {
namespace {

bool same(const Case& a, const Case& b) {
  return a.index == b.index && a.property == b.property && a.drawn.size == b.drawn.size &&
         a.drawn.scenario == b.drawn.scenario && a.drawn.selection == b.drawn.selection;
}

class CaseSources : public testing::Test {
 protected:
  std::uint64_t covering(std::uint64_t seed) const { return ScenarioSeries(seed).covering_cases(); }
  const Subject subject_{cpu::subject()};
};

TEST_F(CaseSources, ACaseFollowsFromSeedAndNumber) {
  const CaseSource source(1, {}, subject_), again(1, {}, subject_), other(2, {}, subject_);
  for (std::uint64_t i = 400; i-- > 0;) {
    const Case drawn = source.draw(i);
    EXPECT_EQ(drawn.index, i);
    EXPECT_TRUE(same(drawn, again.draw(i))) << i;
    EXPECT_FALSE(same(drawn, other.draw(i))) << i;
  }
}

TEST_F(CaseSources, ManyThreadsDrawTheSame) {
  const CaseSource source(3, {}, subject_);
  std::vector<Case> alone, together(300);
  for (std::uint64_t i = 0; i < together.size(); ++i) alone.push_back(source.draw(i));
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 3; ++t) {
    threads.emplace_back([t, &source, &together] {
      for (std::size_t i = t; i < together.size(); i += 3) together[i] = source.draw(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < alone.size(); ++i) EXPECT_TRUE(same(alone[i], together[i])) << i;
}

TEST_F(CaseSources, EveryPropertyGetsCasesThatItAppliesTo) {
  const CaseSource source(1, {}, subject_);
  const std::uint64_t first = covering(1);
  std::map<std::string, int> count;
  constexpr int kCases = 20000;
  for (std::uint64_t i = first; i < first + kCases; ++i) {
    const Case drawn = source.draw(i);
    ASSERT_NE(drawn.property, nullptr) << i;
    EXPECT_TRUE(drawn.property->applies(drawn.drawn.scenario, subject_)) << i;
    EXPECT_FALSE(find_error(drawn.drawn.scenario));
    ++count[std::string(drawn.property->name)];
  }
  for (const Property& property : properties()) {
    if (property.name == "launch") continue;  // needs a device
    EXPECT_GT(count[std::string(property.name)], 0) << property.name << " is never drawn";
    EXPECT_LE(count[std::string(property.name)], count["equivalence"]) << property.name;
  }
}

TEST_F(CaseSources, TheCoveringCasesGoToTheEquivalence) {
  const CaseSource source(1, {}, subject_);
  const ScenarioSeries series(1);
  for (std::uint64_t i = 0; i < series.covering_cases(); ++i) {
    const Case drawn = source.draw(i);
    EXPECT_EQ(drawn.property, &find_property("equivalence"));
    EXPECT_EQ(drawn.drawn.selection, series.draw(i).selection) << "not drawn anew";
  }
}

// A block of the series may go without what a property needs; another attempt does not.
TEST_F(CaseSources, DrawUntilAChosenPropertyApplies) {
  for (const Property& wanted : properties()) {
    if (wanted.name == "launch") continue;  // needs a device
    const CaseSource source(1, {std::string(wanted.name)}, subject_);
    for (std::uint64_t i = 0; i < 2000; i += 37) {
      const Case drawn = source.draw(i);
      ASSERT_EQ(drawn.property, &wanted) << wanted.name << ", case " << i;
      EXPECT_TRUE(wanted.applies(drawn.drawn.scenario, subject_));
    }
  }
}

TEST_F(CaseSources, KeepToTheChosenProperties) {
  const CaseSource source(1, {"equivalence", "convexity"}, subject_);
  const std::uint64_t first = covering(1);
  std::map<std::string_view, int> count;
  for (std::uint64_t i = first; i < first + 2000; ++i) {
    ++count[source.draw(i).property->name];
  }
  EXPECT_EQ(count.size(), 2u);
  // By weight: convexity has a quarter of the other's, and does not apply everywhere.
  EXPECT_GT(count["convexity"], 50);
  EXPECT_GT(count["equivalence"], 3 * count["convexity"]);
}

// A search that draws for itself gets the property that the series would have given it.
TEST_F(CaseSources, GiveAPropertyToWhatOthersDraw) {
  const CaseSource source(4, {}, subject_);
  const ScenarioSeries series(4);
  for (std::uint64_t i = 0; i < 600; ++i) {
    const Case given = source.with_property(i, series.draw(i));
    EXPECT_TRUE(same(given, source.draw(i))) << i;
    if (i < covering(4)) {
      EXPECT_EQ(given.property, &find_property("equivalence"));
    }
  }
}

TEST_F(CaseSources, HaveNoPropertyForWhatNoneAppliesTo) {
  const Property& wanted = find_property("ranks");
  const CaseSource source(4, {"ranks"}, subject_);
  const ScenarioSeries series(4);
  int without = 0;
  for (std::uint64_t i = 0; i < 600; ++i) {
    const DrawnScenario drawn = series.draw(i);
    const Case given = source.with_property(i, drawn);
    const bool applies = wanted.applies(drawn.scenario, subject_);
    EXPECT_EQ(given.property, applies ? &wanted : nullptr);
    EXPECT_EQ(given.drawn.scenario, drawn.scenario) << "as it is, not drawn anew";
    without += applies ? 0 : 1;
  }
  EXPECT_GT(without, 0);
}

TEST_F(CaseSources, KeepToTheRanksOfAJob) {
  const CaseSource source(4, {"equivalence"}, subject_, 2);
  Scenario scenario;
  scenario.problem.entry = Entry::core;
  const auto given = [&](int kvp) {
    scenario.layout.kvp = kvp;
    DrawnScenario drawn;
    drawn.scenario = scenario;
    return source.with_property(1000, drawn);
  };
  EXPECT_NE(given(2).property, nullptr);
  EXPECT_EQ(given(2).drawn.scenario.run.world, WorldKind::mpi);
  EXPECT_EQ(given(3).property, nullptr);
}

TEST_F(CaseSources, RefuseAnUnknownProperty) {
  EXPECT_THROW(CaseSource(1, {"equivalence", "beauty"}, subject_), InputError);
}

}  // namespace
}  // namespace helixcheck
