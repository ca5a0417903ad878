#include "mutants/smallest.hpp"

#include <gtest/gtest.h>

#include "planted.hpp"
#include "scenario/error.hpp"
#include "scenario/validate.hpp"

namespace helixcheck {
namespace {

Mutant with(std::string_view smallest, hxc_stage stage = HXC_ATTEND) {
  Mutant mutant = planted::canary;
  mutant.smallest = smallest;
  mutant.stage = stage;
  return mutant;
}

// The canary's known minimum, as tests/command_line/search_test.cpp has it.
TEST(Smallest, FillsInWhatIsLeftOut) {
  const Scenario scenario = smallest_scenario(planted::canary);
  EXPECT_FALSE(find_error(scenario));
  const Problem& problem = scenario.problem;
  EXPECT_EQ(problem.entry, Entry::core);
  EXPECT_EQ(problem.num_heads, 3);
  EXPECT_EQ(problem.kv_lora_rank, 1);
  EXPECT_EQ(problem.qk_rope_head_dim, 2);
  EXPECT_EQ(problem.dtype, Dtype::fp16);
  EXPECT_EQ(problem.ctx_len, std::vector<std::int64_t>{0});
  EXPECT_EQ(scenario.layout.kvp, 3);
  EXPECT_EQ(scenario.layout.kv_cache_tokens_per_block, 2);
}

TEST(Smallest, TakesTheSimplestEntryOfTheStage) {
  EXPECT_EQ(smallest_scenario(with("", HXC_COMBINE)).problem.entry, Entry::merge);
  EXPECT_EQ(smallest_scenario(with("", HXC_EXCHANGE)).problem.entry, Entry::core);
  EXPECT_EQ(smallest_scenario(with("", HXC_PROJECT)).problem.entry, Entry::layer);
  EXPECT_EQ(smallest_scenario(with("entry=layer")).problem.entry, Entry::layer);
}

TEST(Smallest, KeepsScripts) {
  const Scenario scenario =
      smallest_scenario(with("ctx_len=2 step=join:0 step=decode:0:1 step=decode:0:2"));
  ASSERT_EQ(scenario.script.size(), 3u);
  EXPECT_EQ(scenario.script[2].tokens, std::vector<std::int64_t>{2});
  EXPECT_EQ(scenario.problem.ctx_len, std::vector<std::int64_t>{2});
}

TEST(Smallest, RefusesWhatIsNoScenario) {
  EXPECT_THROW(smallest_scenario(with("kvp")), InputError);
  EXPECT_THROW(smallest_scenario(with("kpv=2")), InputError);
  EXPECT_THROW(smallest_scenario(with("kvp=2 num_heads=3")), InputError);
}

TEST(Smallest, ComparesAllButTheSeed) {
  Scenario known = smallest_scenario(planted::canary), found = known;
  found.problem.data.seed = 7;
  EXPECT_TRUE(as_small(found, known));
  found.problem.ctx_len = {1};
  EXPECT_FALSE(as_small(found, known));
  EXPECT_TRUE(as_small(known, found));
}

}  // namespace
}  // namespace helixcheck
