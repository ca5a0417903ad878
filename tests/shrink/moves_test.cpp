#include "shrink/moves.hpp"

#include <gtest/gtest.h>
#include <set>

#include "failing.hpp"
#include "scenario/validate.hpp"
#include "shrink/order.hpp"

namespace helixcheck {
namespace {

TEST(Moves, TableIsNamedAndDescribed) {
  std::set<std::string_view> names;
  for (const Move& move : moves()) {
    EXPECT_TRUE(names.insert(move.name).second) << move.name;
    EXPECT_FALSE(move.what.empty());
    ASSERT_NE(move.apply, nullptr);
  }
}

// A predicate that says no to everything sees all candidates of one step.
TEST(Moves, CandidatesAreValidSimplerAndEvaluatedOnce) {
  for (std::uint64_t index = 0; index < 8; ++index) {
    const Scenario start = draw_scenario(11, index);
    std::set<std::string> seen;
    const FailingWith passes = [&](const Scenario& candidate) {
      EXPECT_EQ(find_error(candidate), std::nullopt);
      EXPECT_LT(complexity(candidate), complexity(start));
      EXPECT_TRUE(seen.insert(identity(candidate)).second);
      return std::optional<Signature>();
    };
    const ShrinkLimits limits{.evaluations = 1000000, .seconds = 60, .jobs = 1, .interrupted = {}};
    Search search(start, kWanted, passes, limits);
    for (const Move& move : moves()) EXPECT_FALSE(move.apply(search)) << move.name;
    EXPECT_EQ(static_cast<std::size_t>(search.evaluations()), seen.size());
  }
}

// A predicate that says yes to everything ends in the one simplest scenario.
TEST(Moves, AlwaysFailingEndsInTheSimplestScenario) {
  for (std::uint64_t index = 0; index < 30; ++index) {
    Scenario start = draw_scenario(13, index);
    start.name = "found";
    start.labels = {"slow"};
    const ShrinkResult result =
        shrink(start, kWanted, failing_if([](const Scenario&) { return true; }));
    Scenario simplest;
    simplest.problem.entry = Entry::merge;
    simplest.problem.num_heads = 1;
    simplest.problem.kv_lora_rank = 1;
    EXPECT_EQ(result.scenario, simplest);
    EXPECT_TRUE(result.locally_minimal);
  }
}

}  // namespace
}  // namespace helixcheck
