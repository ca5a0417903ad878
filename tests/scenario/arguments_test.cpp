// Scenarios as options: the round trip for random scenarios, order independence, and refusals.

#include <gtest/gtest.h>

#include "random_scenario.hpp"
#include "scenario/error.hpp"
#include "scenario/print.hpp"

namespace helixcheck {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

void apply(Scenario& scenario, const Pairs& options) {
  for (const auto& option : options) apply_argument(scenario, option.first, option.second);
}

Scenario built(const Pairs& options) {
  Scenario scenario;
  apply(scenario, options);
  return scenario;
}

std::string refusal(const std::string& option, const std::string& value) {
  Scenario scenario;
  try {
    apply_argument(scenario, option, value);
  } catch (const InputError& error) {
    EXPECT_EQ(scenario, Scenario{}) << "a refused option must change nothing";
    return error.what();
  }
  return "accepted";
}

TEST(Arguments, RebuildAnyScenario) {
  ScenarioDrawer drawer(2);
  for (int i = 0; i < 500; ++i) {
    const Scenario scenario = drawer.draw();
    const std::vector<std::string> arguments = print_arguments(scenario);
    ASSERT_EQ(arguments.size() % 2, 0u);
    Scenario rebuilt;
    for (std::size_t k = 0; k < arguments.size(); k += 2) {
      ASSERT_EQ(arguments[k].substr(0, 2), "--");
      apply_argument(rebuilt, arguments[k].substr(2), arguments[k + 1]);
    }
    ASSERT_EQ(rebuilt, scenario);
  }
}

TEST(Arguments, ArePrintedAsPeopleTypeThem) {
  Scenario s;
  EXPECT_TRUE(print_arguments(s).empty());
  s.problem.ctx_len.assign(8, 4096);
  s.problem.data.heavy = {{HeavyPlace::newest, 3, 1, 0.5}};
  s.layout.kvp = 4;
  s.script = {
      {StepKind::join, {}, {}}, {StepKind::decode, {0, 1}, {1, 4}}, {StepKind::decode, {}, {2}}};
  EXPECT_EQ(print_arguments(s),
            (std::vector<std::string>{"--batch", "8", "--ctx-len", "4096", "--heavy",
                                      "newest:3:1:0.5", "--kvp", "4", "--step", "join", "--step",
                                      "decode:0,1:1,4", "--step", "decode::2"}));
}

TEST(Arguments, BatchAndLengthComeInAnyOrder) {
  const Scenario expected = built({{"batch", "8"}, {"ctx-len", "4096"}});
  EXPECT_EQ(expected.problem.ctx_len, std::vector<std::int64_t>(8, 4096));
  EXPECT_EQ(built({{"ctx-len", "4096"}, {"batch", "8"}}), expected);
  EXPECT_EQ(built({{"ctx-len", "1,2,3"}, {"batch", "3"}}).problem.ctx_len,
            (std::vector<std::int64_t>{1, 2, 3}));
}

TEST(Arguments, YarnOptionsSwitchYarnOn) {
  const Scenario expected = built({{"rope-scaling", "yarn"}, {"factor", "8"}, {"mscale", "none"}});
  ASSERT_TRUE(expected.problem.rope_scaling.has_value());
  EXPECT_EQ(expected.problem.rope_scaling->factor, 8);
  EXPECT_EQ(expected.problem.rope_scaling->mscale, std::nullopt);
  EXPECT_EQ(built({{"factor", "8"}, {"mscale", "none"}, {"rope-scaling", "yarn"}}), expected);
  EXPECT_EQ(built({{"factor", "8"}, {"rope-scaling", "none"}}), Scenario{});
}

TEST(Arguments, ModelGivesTheShapeAndKeepsTheRest) {
  const Scenario s = built({{"ctx-len", "9"}, {"model", "deepseek-v3"}, {"num-heads", "64"}});
  EXPECT_EQ(s.problem.hidden_size, 7168);
  EXPECT_EQ(s.problem.num_heads, 64);
  EXPECT_EQ(s.problem.ctx_len, (std::vector<std::int64_t>{9}));
}

TEST(Arguments, RefuseBadValues) {
  const struct {
    const char *option, *value, *message;
  } cases[] = {
      {"kvp", "two", "--kvp is \"two\", but it must be an integer"},
      {"kvp", "", "--kvp is \"\""},
      {"kvp", "2 ", "--kvp is \"2 \""},
      {"kvp", "2.0", "--kvp is \"2.0\""},
      {"kvp", "99999999999999999999", "must be an integer of at most 64 bits"},
      {"atol", "nan", "--atol is \"nan\", but it must be a finite number"},
      {"atol", "1e999", "must be a finite number"},
      {"mscale", "off", "a finite number or none"},
      {"rope-interleave", "1", "true or false"},
      {"dtype", "half", "one of fp32, fp16, bf16, fp8_e4m3"},
      {"seed", "-1", "from 0 to 18446744073709551615"},
      {"batch", "0", "between 1 and 4096"},
      {"batch", "5000", "between 1 and 4096"},
      {"ctx-len", "", "an integer, or a list"},
      {"ctx-len", "64,", "a list of integers"},
      {"ctx-len", "64k", "\"64k\" is none"},
      {"rope-scaling", "linear", "yarn or none"},
      {"heavy", "newest:3:1", "place:head:kvp_rank:mass"},
      {"heavy", "newest:3:1:0.5:9", "place:head:kvp_rank:mass"},
      {"heavy", "oldest:3:1:0.5", "place:head:kvp_rank:mass"},
      {"step", "skip", "kind:requests:tokens"},
      {"step", "decode:0:1:2", "kind:requests:tokens"},
      {"step", "decode:a", "a list of integers"},
      {"model", "gpt-2", "unknown model \"gpt-2\"; the known ones are deepseek-v2-lite"},
      {"head", "3", "unknown option --head"},
      {"num-head", "3", "unknown option --num-head; did you mean --num-heads?"},
  };
  for (const auto& bad : cases) {
    const std::string message = refusal(bad.option, bad.value);
    EXPECT_NE(message.find(bad.message), std::string::npos) << message;
  }
  Scenario ragged = built({{"ctx-len", "1,2,3"}});
  EXPECT_THROW(apply_argument(ragged, "batch", "4"), InputError);
}

}  // namespace
}  // namespace helixcheck
