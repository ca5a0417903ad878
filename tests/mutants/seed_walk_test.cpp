#include "mutants/seed_walk.hpp"

#include <gtest/gtest.h>

#include "campaign/check.hpp"
#include "planted.hpp"

namespace helixcheck {
namespace {

class SeedWalk : public testing::Test {
 protected:
  const Subject correct_{cpu::subject()};
  const Subject shift_{cpu::subject(), &planted::kShiftTable};
  const Subject canary_{cpu::subject(), &canary_subject()};
};

// The search of `check`, one subject at a time, is what the shared walk must equal.
TEST_F(SeedWalk, KillsInTheCaseInWhichCheckFindsTheFailure) {
  const std::array<const Subject*, 3> subjects{&correct_, &shift_, &canary_};
  const Walk walk = walk_series(3, subjects, {150});
  ASSERT_EQ(walk.results.size(), 3u);
  EXPECT_FALSE(walk.results[0].killed);
  EXPECT_EQ(walk.results[0].cases, 150u);
  for (const std::size_t i : {1u, 2u}) {
    CheckOptions options;
    options.seed = 3;
    options.cases = 150;
    options.max_findings = 1;
    options.shrink.evaluations = 0;
    const CheckReport report = check(*subjects[i], options);
    ASSERT_EQ(report.findings.size(), 1u);
    ASSERT_TRUE(walk.results[i].killed);
    EXPECT_EQ(walk.results[i].cases, report.findings[0].case_index + 1);
    EXPECT_EQ(walk.results[i].failed->at.index, report.findings[0].case_index);
    EXPECT_EQ(walk.results[i].failed->signature, report.findings[0].signature);
    EXPECT_GT(walk.results[i].seconds, 0);
  }
}

TEST_F(SeedWalk, EndsWhenNobodyLives) {
  const std::array<const Subject*, 1> subjects{&shift_};
  const Walk walk = walk_series(1, subjects, {100000000});
  EXPECT_TRUE(walk.results[0].killed);
  EXPECT_LT(walk.results[0].cases, 100u);
}

TEST_F(SeedWalk, EndsWhenItIsInterrupted) {
  const std::array<const Subject*, 1> subjects{&correct_};
  int asked = 0;
  const Walk walk = walk_series(1, subjects, {1000, [&] { return ++asked > 5; }});
  EXPECT_EQ(walk.results[0].cases, 5u);
}

}  // namespace
}  // namespace helixcheck
