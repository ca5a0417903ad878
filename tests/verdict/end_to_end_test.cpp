// Runs that hide everything but their final values: correct ones pass, faults of 5 % are seen, and
// what is too large is said to be left out.

#include "verdict/end_to_end.hpp"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

#include "mla/formats.hpp"
#include "support/random_inputs.hpp"
#include "tiny_run.hpp"
#include "verdict/judge.hpp"

namespace helixcheck {
namespace {

using Ranks = std::vector<TinyRun::RankShown>;

void hide_all_but(TinyRun& run, Tap tap) {
  for (int i = 0; i < kTapCount; ++i) {
    if (static_cast<Tap>(i) != tap) run.hidden.push_back(static_cast<Tap>(i));
  }
}

TEST(EndToEnd, CorrectFinalValuesPassAndSpoiltOnesDoNot) {
  for (const Entry entry : {Entry::layer, Entry::core}) {
    for (const Dtype dtype : {Dtype::bf16, Dtype::fp16, Dtype::fp32}) {
      Scenario s = tiny_scenario(entry);
      s.problem.dtype = s.problem.kv_cache_dtype = dtype;
      s.problem.decode_steps = 2;
      const RandomInputs inputs(s);
      const Tap tap = entry == Entry::layer ? Tap::output : Tap::combined;
      TinyRun run(inputs);
      hide_all_but(run, tap);
      const Verdict clean = run.judged(find_contract("cpu"));
      EXPECT_TRUE(clean.pass) << clean.blame->sentence;
      ASSERT_EQ(clean.taps.size(), 1u);
      EXPECT_GT(clean.taps[0].values, 0);
      for (const double factor : {0.0, -1.0, 1.05}) {
        const Verdict spoilt = run.judged(find_contract("cpu"), [&](std::int64_t, Ranks& ranks) {
          for (TinyRun::RankShown& rank : ranks) {
            TinyRun::Shown& shown = rank[static_cast<std::size_t>(tap)];
            for (std::int64_t i = 0; i < shown.view.elements(); ++i) {
              shown.set_value(i, factor * shown.value(i));
            }
          }
        });
        EXPECT_FALSE(spoilt.pass) << factor << ' ' << static_cast<int>(dtype);
      }
    }
  }
}

TEST(EndToEnd, SaysWhatItLeftOut) {
  Scenario s = tiny_scenario(Entry::core);
  s.problem.ctx_len = {300000};
  s.problem.num_heads = 128;
  s.layout.kv_cache_tokens_per_block = 20000;
  s.problem.kv_cache_dtype = Dtype::fp8_e4m3;  // with a scale that rounds: codes are not known
  s.problem.kv_scale = 0.7;
  const RandomInputs inputs(s);
  const StageContracts contracts = [] {
    StageContracts all;
    all.fill(&find_contract("cpu"));
    return all;
  }();
  JudgeState state(inputs, contracts);
  History history(s);
  const std::vector<Step> script = expand_script(s);
  history.apply(script[0]);
  const std::vector<Row> rows = history.apply(script[1]);
  const StepRequest request{0, 300000, 300000, 2};
  StepTaps taps;
  taps.requests = {&request, 1};
  taps.rows = rows;
  taps.history = &history;
  taps.ranks.resize(4);
  const std::vector<std::byte> combined(static_cast<std::size_t>(2 * 32 * 16 * 2));
  for (RankTaps& rank : taps.ranks) {
    rank[static_cast<std::size_t>(Tap::combined)] = {
        true, false, Dtype::bf16, {2, 32, 16}, combined.data()};
  }
  EXPECT_FALSE(EndToEnd(inputs).judge(state, StepView(s, state.geometry, taps)));
  state.ledger.close_step();
  EXPECT_TRUE(state.ledger.verdict().taps.empty());
  Judge judge(inputs, find_contract("cpu"));
  judge.on_step(taps);
  EXPECT_EQ(judge.verdict().unjudged, "step 0 hides what combined is made from");
}

TEST(RoundRandomly, IsANeighbourAndUnbiased) {
  for (const Dtype dtype : {Dtype::bf16, Dtype::fp16, Dtype::fp8_e4m3}) {
    for (const double x : {0.7123, -3.0301, 1e-3, -0.0041}) {
      const double spacing = 2 * half_ulp(dtype, x);
      double sum = 0;
      const int draws = 1000;
      for (int i = 0; i < draws; ++i) {
        const double y = round_randomly(dtype, x, (i + 0.5) / draws);
        EXPECT_EQ(y, round_to(dtype, y));
        EXPECT_LT(std::abs(y - x), spacing);
        sum += y;
      }
      EXPECT_NEAR(sum / draws, x, spacing * 2e-3);
    }
    EXPECT_EQ(round_randomly(dtype, 1.5, 0.0), 1.5);
    EXPECT_EQ(round_randomly(dtype, 0.0, 0.0), 0.0);
  }
}

}  // namespace
}  // namespace helixcheck
