#include "mutants/score.hpp"

#include <array>
#include <gtest/gtest.h>

#include "planted.hpp"

namespace helixcheck {
namespace {

ScoreOptions short_search(int jobs) {
  ScoreOptions options;
  options.seeds = 2;
  options.cases = 100;
  options.jobs = jobs;
  return options;
}

TEST(Score, SaysWhatWasFoundOfWhatWasPlanted) {
  const std::array<const Mutant*, 3> chosen{&planted::shift, &planted::right, &planted::canary};
  const ScoreReport report = score_mutants(chosen, short_search(1));
  EXPECT_EQ(report.correct_cases, 200u);
  EXPECT_TRUE(report.false_alarms.empty());
  ASSERT_EQ(report.scores.size(), 3u);

  const MutantScore& shift = report.scores[0];
  EXPECT_TRUE(shift.killed());
  ASSERT_TRUE(shift.finding);
  EXPECT_EQ(shift.blame(), "combine");
  EXPECT_TRUE(shift.blame_right());
  EXPECT_TRUE(shift.finding->locally_minimal);
  EXPECT_TRUE(shift.smallest_fails);
  EXPECT_TRUE(shift.as_small);
  EXPECT_LE(shift.median_cases(), shift.worst_cases());

  const MutantScore& right = report.scores[1];
  EXPECT_FALSE(right.killed());
  EXPECT_FALSE(right.finding);
  EXPECT_EQ(right.worst_cases(), 100u);
  EXPECT_FALSE(right.smallest_fails);

  const MutantScore& canary = report.scores[2];
  EXPECT_TRUE(canary.killed());
  EXPECT_TRUE(canary.smallest_fails);
  EXPECT_TRUE(canary.as_small);
  EXPECT_EQ(canary.blame(), "attend");
  const Subject subject(cpu::subject(), planted::canary.subject);
  const std::array<const Subject*, 1> alone{&subject};
  EXPECT_EQ(canary.seeds[1].seed, 2u);
  for (const SeedScore& seed : canary.seeds) {
    EXPECT_EQ(seed.cases, walk_series(seed.seed, alone, {100}).results[0].cases);
  }
}

TEST(Score, KnowsAWrongBlame) {
  Mutant misplaced = planted::shift;
  misplaced.stage = HXC_ATTEND;
  misplaced.smallest = "entry=merge kvp=2";
  const std::array<const Mutant*, 1> chosen{&misplaced};
  const ScoreReport report = score_mutants(chosen, short_search(1));
  EXPECT_TRUE(report.scores[0].killed());
  EXPECT_FALSE(report.scores[0].blame_right());
  const std::array<const MutantScore*, 1> scores{&report.scores[0]};
  const ScoreTotals totals = totals_of(scores);
  EXPECT_EQ(totals.killed, 1u);
  EXPECT_EQ(totals.findings, 1u);
  EXPECT_EQ(totals.blame_right, 0u);
  EXPECT_EQ(totals.kills, 2u) << "two seeds";
  EXPECT_EQ(totals.kills_blamed_right, 0u);
}

TEST(Score, SaysWhoWasNotThrough) {
  const std::array<const Mutant*, 2> chosen{&planted::shift, &planted::right};
  bool one_seed_done = false, shrinking = false;
  ScoreOptions options = short_search(1);
  options.progress = [&](const ScoreProgress& now) {
    one_seed_done = now.doing == "searching" && now.done == 1;
    shrinking = now.doing == "shrinking";
  };
  const auto finished = [&] {
    const ScoreReport report = score_mutants(chosen, options);
    return std::pair(report.scores[0].finished, report.scores[1].finished);
  };
  EXPECT_EQ(finished(), std::pair(true, true));
  options.interrupted = [&] { return one_seed_done; };
  EXPECT_EQ(finished(), std::pair(false, false)) << "the second seed is missing";
  options.interrupted = [&] { return shrinking; };
  EXPECT_EQ(finished(), std::pair(false, true)) << "there is nothing to shrink of the right one";
}

// Asked before each seed, before each case and before each mutant is shrunk.
TEST(Score, SaysNothingOfASeedThatWasCutOff) {
  const std::array<const Mutant*, 2> chosen{&planted::shift, &planted::right};
  ScoreOptions options = short_search(1);
  int questions = 101 + 51;  // the 51st case of seed 2 is not met
  options.interrupted = [&] { return --questions < 0; };
  const ScoreReport report = score_mutants(chosen, options);
  EXPECT_TRUE(report.interrupted);
  EXPECT_EQ(report.correct_cases, 150u);
  EXPECT_EQ(report.scores[0].seeds.size(), 2u) << "killed before";
  ASSERT_EQ(report.scores[1].seeds.size(), 1u) << "it may yet be killed in seed 2";
  EXPECT_EQ(report.scores[1].seeds[0].cases, 100u);
  EXPECT_FALSE(report.scores[1].finished);
}

TEST(Score, DoesNotDependOnTheWorkers) {
  const std::array<const Mutant*, 2> chosen{&planted::shift, &planted::canary};
  const ScoreReport one = score_mutants(chosen, short_search(1));
  const ScoreReport two = score_mutants(chosen, short_search(2));
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    for (std::size_t seed = 0; seed < 2; ++seed) {
      EXPECT_EQ(one.scores[i].seeds[seed].cases, two.scores[i].seeds[seed].cases);
    }
    EXPECT_EQ(one.scores[i].finding->scenario, two.scores[i].finding->scenario);
  }
}

TEST(Score, TakesAMutantWithABadSmallest) {
  Mutant bad = planted::canary;
  bad.smallest = "kvp=2 num_heads=3";
  const std::array<const Mutant*, 1> chosen{&bad};
  const ScoreReport report = score_mutants(chosen, short_search(1));
  EXPECT_TRUE(report.scores[0].killed());
  EXPECT_FALSE(report.scores[0].smallest);
  EXPECT_NE(report.scores[0].smallest_error.find("num_heads"), std::string::npos);
}

TEST(Totals, AreOverAllSeeds) {
  MutantScore quick, slow;
  quick.mutant = &planted::shift;
  slow.mutant = &planted::canary;
  quick.seeds = {{1, true, 1, 0}, {2, true, 2, 0}, {3, true, 3, 0}};
  slow.seeds = {{1, true, 90, 0}, {2, false, 100, 0}};
  const std::array<const MutantScore*, 2> scores{&quick, &slow};
  const ScoreTotals totals = totals_of(scores);
  EXPECT_EQ(totals.total, 2u);
  EXPECT_EQ(totals.killed, 1u);
  EXPECT_EQ(totals.median_cases, 3u);
  EXPECT_EQ(totals.worst_cases, 100u);
}

}  // namespace
}  // namespace helixcheck
