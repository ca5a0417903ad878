// Variations are valid scenarios that differ from the first run in what they name.

#include "property/variations.hpp"

#include <gtest/gtest.h>

#include "generate/scenario_draw.hpp"
#include "property/relation.hpp"
#include "scenario/validate.hpp"

namespace helixcheck {
namespace {

// Planted keys name a rank of the original layout; their values come from the original case.
Scenario without_heavy_keys(Scenario scenario) {
  scenario.problem.data.heavy.clear();
  return scenario;
}

TEST(Variations, AreValidAndDeterministic) {
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const Scenario scenario = without_heavy_keys(draw_scenario(21, i));
    for (const Relation& relation : relations()) {
      const std::vector<VariedRun> runs = relation.runs(scenario), again = relation.runs(scenario);
      ASSERT_TRUE(runs.empty() || runs.size() > 1) << relation.name;
      ASSERT_EQ(runs.size(), again.size()) << relation.name;
      for (std::size_t run = 0; run < runs.size(); ++run) {
        const auto error = find_error(runs[run].scenario);
        ASSERT_FALSE(error) << relation.name << ": " << runs[run].change << ": " << *error;
        EXPECT_EQ(runs[run].scenario, again[run].scenario);
        EXPECT_EQ(runs[run].change.empty(), run == 0);
        if (run > 0 && relation.name != "repetition") {
          EXPECT_FALSE(runs[run].scenario == runs[0].scenario) << relation.name;
        }
      }
    }
  }
}

TEST(Variations, SplitStepsKeepTheTokens) {
  Scenario s;
  s.problem.entry = Entry::core;
  s.problem.ctx_len = {5, 6};
  s.script = {{StepKind::join, {}, {}}, {StepKind::decode, {0, 1}, {1, 3}}};
  const auto runs = variations::split_steps(s);
  ASSERT_EQ(runs.size(), 2u);
  const std::vector<Step> expected{{StepKind::join, {0, 1}, {}},
                                   {StepKind::decode, {0, 1}, {1, 1}},
                                   {StepKind::decode, {1}, {1}},
                                   {StepKind::decode, {1}, {1}}};
  EXPECT_EQ(runs[1].scenario.script, expected);
}

TEST(Variations, AppendIsPromptMovesAllButTheLastStep) {
  Scenario s;
  s.problem.entry = Entry::core;
  s.problem.ctx_len = {5, 0};
  s.problem.decode_steps = 3;
  s.problem.predicted_tokens_per_seq = 2;
  const auto runs = variations::append_is_prompt(s);
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[1].scenario.problem.ctx_len, (std::vector<std::int64_t>{9, 4}));
  EXPECT_EQ(runs[1].scenario.problem.decode_steps, 1);
  EXPECT_EQ(runs[0].scenario.layout.decode_owner, DecodeOwner::continued);
  s.problem.decode_steps = 1;
  EXPECT_TRUE(variations::append_is_prompt(s).empty());
}

}  // namespace
}  // namespace helixcheck
