// Random scripts: valid for any problem and style, and of the kinds that the style asks for.

#include "generate/script_draw.hpp"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>

#include "scenario/script.hpp"
#include "scenario/validate.hpp"

namespace helixcheck {
namespace {

using Kinds = std::array<int, 5>;  // by StepKind

std::size_t at(StepKind kind) {
  return static_cast<std::size_t>(kind);
}

// A small problem: up to 12 requests, some of them empty.
Scenario draw_problem(Choices& choices) {
  Scenario s;
  s.problem.entry = Entry::core;
  s.problem.ctx_len.resize(1 + choices.below(12));
  for (std::int64_t& length : s.problem.ctx_len) length = choices.between(0, 9);
  return s;
}

ScriptStyle draw_style(Choices& choices) {
  const auto weight = [&choices] { return static_cast<int>(choices.below(4)); };
  ScriptStyle style{weight(), 1 + weight(), weight(), weight(), weight()};
  style.max_tokens = choices.between(1, 8);
  style.max_steps = choices.between(2, 16);
  return style;
}

Kinds kinds_of(const std::vector<Step>& script) {
  Kinds kinds{};
  for (const Step& step : script) ++kinds[at(step.kind)];
  return kinds;
}

// Over many scripts of one style.
Kinds kinds_of(const ScriptStyle& style) {
  Kinds sum{};
  CounterChoices choices(1, 0);
  for (int i = 0; i < 300; ++i) {
    const Scenario s = draw_problem(choices);
    const Kinds kinds = kinds_of(draw_script(s.problem, style, choices));
    for (std::size_t k = 0; k < kinds.size(); ++k) sum[k] += kinds[k];
  }
  return sum;
}

TEST(DrawScript, IsValidForAnyProblemAndStyle) {
  for (std::uint64_t index = 0; index < 5000; ++index) {
    CounterChoices choices(2, index);
    Scenario s = draw_problem(choices);
    const ScriptStyle style = draw_style(choices);
    s.script = draw_script(s.problem, style, choices);
    const auto error = find_error(s);
    ASSERT_FALSE(error) << "script " << index << ": " << *error;
    // A last decode step, and a join for it, may come on top.
    EXPECT_LE(std::ssize(s.script), std::max<std::int64_t>(style.max_steps, 2) + 2);
    EXPECT_EQ(s.script.front().kind, StepKind::join);
  }
}

TEST(DrawScript, DecodesAtLeastOneTokenAndNoMoreThanTheStyleAllows) {
  for (std::uint64_t index = 0; index < 3000; ++index) {
    CounterChoices choices(3, index);
    Scenario s = draw_problem(choices);
    const ScriptStyle style = draw_style(choices);
    s.script = draw_script(s.problem, style, choices);
    std::int64_t decoded = 0, most = 0;
    for (const Step& step : expand_script(s)) {
      if (step.kind != StepKind::decode) continue;
      for (const std::int64_t tokens : step.tokens) {
        decoded += tokens;
        most = std::max(most, tokens);
      }
    }
    EXPECT_GE(decoded, 1) << "script " << index;
    EXPECT_LE(most, style.max_tokens) << "script " << index;
  }
}

TEST(DrawScript, HasTheKindsOfItsStyleAndNoOthers) {
  const std::array<StepKind, 3> optional{StepKind::reject, StepKind::finish, StepKind::fork};
  for (const StepKind wanted : optional) {
    ScriptStyle style{.join = 2, .decode = 4};
    if (wanted == StepKind::reject) style.reject = 3;
    if (wanted == StepKind::finish) style.finish = 3;
    if (wanted == StepKind::fork) style.fork = 3;
    const Kinds kinds = kinds_of(style);
    EXPECT_GT(kinds[at(StepKind::join)], 300);
    EXPECT_GT(kinds[at(StepKind::decode)], 300);
    for (const StepKind kind : optional) {
      if (kind == wanted) {
        EXPECT_GT(kinds[at(kind)], 100) << "kind " << at(kind);
      } else {
        EXPECT_EQ(kinds[at(kind)], 0) << "kind " << at(kind) << " was not asked for";
      }
    }
  }
}

TEST(DrawScript, FollowsTheWeights) {
  const Kinds few = kinds_of({.join = 1, .decode = 8, .reject = 1, .max_steps = 12});
  const Kinds many = kinds_of({.join = 1, .decode = 8, .reject = 8, .max_steps = 12});
  EXPECT_GT(many[at(StepKind::reject)], 2 * few[at(StepKind::reject)]);
  EXPECT_LT(many[at(StepKind::decode)], few[at(StepKind::decode)]);
}

TEST(DrawScript, ForksAFewTimesAtMost) {
  const ScriptStyle style{.join = 1, .decode = 1, .fork = 9, .max_steps = 16};
  int most = 0;
  for (std::uint64_t index = 0; index < 500; ++index) {
    CounterChoices choices(4, index);
    const Scenario s = draw_problem(choices);
    most = std::max(most, kinds_of(draw_script(s.problem, style, choices))[at(StepKind::fork)]);
  }
  EXPECT_EQ(most, 4) << "each fork is one more request to compute";
}

TEST(DrawScript, IsPlainWhereTheChoicesRunOut) {
  ByteChoices choices{std::span<const std::uint8_t>()};
  Scenario s;
  s.problem.entry = Entry::core;
  s.problem.ctx_len = {3, 4};
  s.script = draw_script(s.problem, {.join = 1, .decode = 5, .reject = 1}, choices);
  EXPECT_FALSE(find_error(s));
  EXPECT_LE(s.script.size(), 4u);
}

}  // namespace
}  // namespace helixcheck
