#include <gtest/gtest.h>

#include "failing.hpp"
#include "scenario/error.hpp"

namespace helixcheck {
namespace {

std::vector<Scenario> series(std::uint64_t count) {
  std::vector<Scenario> scenarios;
  for (std::uint64_t i = 0; i < count; ++i) scenarios.push_back(draw_scenario(17, i));
  return scenarios;
}

// Stale state: a larger batch somewhere before the last scenario.
std::optional<Signature> stale(const std::vector<Scenario>& sequence) {
  for (std::size_t i = 0; i + 1 < sequence.size(); ++i) {
    if (sequence[i].problem.batch() > sequence.back().problem.batch()) return kWanted;
  }
  return std::nullopt;
}

TEST(ShrinkSequence, KeepsThePredecessorThatMattersAndShrinksBoth) {
  std::vector<Scenario> failing = series(20);
  failing.back().name = "last";
  failing[7].problem.ctx_len.assign(100, 3);
  failing[7].script.clear();
  ASSERT_TRUE(stale(failing));
  const SequenceResult result = shrink_sequence(failing, kWanted, stale);
  ASSERT_EQ(result.scenarios.size(), 2u);
  EXPECT_EQ(result.scenarios[0].problem.batch(), 2);
  EXPECT_EQ(result.scenarios[1].problem.batch(), 1);
  EXPECT_EQ(result.scenarios[1].problem.entry, Entry::merge);
  EXPECT_EQ(result.scenarios[1].name, "");
  EXPECT_TRUE(result.locally_minimal);
  EXPECT_EQ(result.stopped_by, "");
}

TEST(ShrinkSequence, NoPredecessorIsLeftWhereNoneIsNeeded) {
  const auto last_only = [](const std::vector<Scenario>& sequence) {
    return sequence.back().problem.num_heads > 1 ? std::optional(kWanted) : std::nullopt;
  };
  const SequenceResult result = shrink_sequence(series(5), kWanted, last_only);
  ASSERT_EQ(result.scenarios.size(), 1u);
  EXPECT_EQ(result.scenarios[0].problem.num_heads, 2);
}

TEST(ShrinkSequence, OneCapForAll) {
  std::int64_t calls = 0;
  const auto counted = [&](const std::vector<Scenario>&) {
    ++calls;
    return std::optional(kWanted);
  };
  ShrinkLimits limits;
  limits.evaluations = 4;
  const SequenceResult result = shrink_sequence(series(9), kWanted, counted, limits);
  EXPECT_EQ(calls, 4);
  EXPECT_EQ(result.evaluations, 4);
  EXPECT_EQ(result.stopped_by, "evaluations");
  EXPECT_FALSE(result.locally_minimal);
  EXPECT_THROW(shrink_sequence({}, kWanted, counted), InputError);
}

}  // namespace
}  // namespace helixcheck
