// The fixed test's criterion: it alone decides when it is asked for, with the other findings shown.

#include "verdict/mismatch.hpp"

#include <gtest/gtest.h>
#include <limits>

#include "support/random_inputs.hpp"
#include "tiny_run.hpp"

namespace helixcheck {
namespace {

using Ranks = std::vector<TinyRun::RankShown>;

// Spoils `count` values of the final tap on one rank.
TinyRun::Spoil spoil(Tap tap, std::int64_t rank, std::int64_t count, double value) {
  return [=](std::int64_t, Ranks& ranks) {
    TinyRun::Shown& shown = ranks[static_cast<std::size_t>(rank)][static_cast<std::size_t>(tap)];
    for (std::int64_t i = 0; i < count; ++i) shown.set_value(i, value);
  };
}

TEST(Mismatch, CountsAgainstTheReference) {
  for (const Entry entry : {Entry::layer, Entry::core, Entry::merge}) {
    Scenario s = tiny_scenario(entry);
    s.run.verdict = VerdictRule::mismatch;
    const RandomInputs inputs(s);
    TinyRun run(inputs);
    const Verdict clean = run.judged(find_contract("cpu"));
    EXPECT_TRUE(clean.pass);
    ASSERT_TRUE(clean.mismatch);
    EXPECT_EQ(clean.mismatch->ratio, 0);
    EXPECT_LT(clean.mismatch->max_abs_error, 0.1);
    EXPECT_FALSE(clean.taps.empty());

    const Tap tap = entry == Entry::layer ? Tap::output : Tap::combined;
    // Values that are compared: rows x D on one rank, rows x H x R over all of them.
    const double values = entry == Entry::layer  ? 4 * 32
                          : entry == Entry::core ? 4 * 4 * 16
                                                 : 2 * 4 * 16;
    const auto few = static_cast<std::int64_t>(0.02 * values);
    const Verdict tolerated = run.judged(find_contract("cpu"), spoil(tap, 0, few, 1000));
    EXPECT_TRUE(tolerated.pass);
    EXPECT_FALSE(tolerated.blame);
    EXPECT_DOUBLE_EQ(tolerated.mismatch->ratio, static_cast<double>(few) / values);
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const Verdict refused = run.judged(find_contract("cpu"), spoil(tap, 0, few + 1, nan));
    EXPECT_FALSE(refused.pass);
    EXPECT_FALSE(refused.mismatch->pass);
    ASSERT_TRUE(refused.blame);
    EXPECT_EQ(refused.blame->tap, tap);
  }
}

TEST(Mismatch, IsBlindToSmallErrors) {
  Scenario s = tiny_scenario();
  s.run.verdict = VerdictRule::mismatch;
  const RandomInputs inputs(s);
  TinyRun run(inputs);
  const Verdict verdict = run.judged(find_contract("cpu"), [](std::int64_t, Ranks& ranks) {
    TinyRun::Shown& lse = ranks[0][static_cast<std::size_t>(Tap::lse)];
    lse.set_value(0, lse.value(0) + 1);
  });
  EXPECT_TRUE(verdict.pass);
  ASSERT_NE(verdict.worst(), nullptr);
  EXPECT_GT(verdict.worst()->worst_ratio, 1);  // the bounds see it, and say so
}

TEST(Mismatch, DecidesAloneWithoutTaps) {
  Scenario s = tiny_scenario();
  s.run.verdict = VerdictRule::mismatch;
  const RandomInputs inputs(s);
  TinyRun run(inputs);
  for (int i = 0; i < kTapCount; ++i) {
    if (static_cast<Tap>(i) != Tap::output) run.hidden.push_back(static_cast<Tap>(i));
  }
  EXPECT_TRUE(run.judged(find_contract("cpu")).pass);
  // The same wrong values on every rank: no rank contradicts another.
  const Verdict verdict = run.judged(find_contract("cpu"), [](std::int64_t, Ranks& ranks) {
    for (TinyRun::RankShown& rank : ranks) {
      for (std::int64_t i = 0; i < 64; ++i) {
        rank[static_cast<std::size_t>(Tap::output)].set_value(i, 50);
      }
    }
  });
  EXPECT_FALSE(verdict.pass);
  EXPECT_EQ(verdict.blame->sentence,
            "50.00 % of the values of output miss atol + rtol |reference|");
}

}  // namespace
}  // namespace helixcheck
