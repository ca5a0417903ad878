// Correct runs pass, whatever the formats, forms, scripts and families; what is hidden, declared or
// out of reach is noted.

#include "verdict/judge.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <limits>

#include "generate/case.hpp"
#include "support/random_inputs.hpp"
#include "tiny_run.hpp"

namespace helixcheck {
namespace {

using Ranks = std::vector<TinyRun::RankShown>;

const Contract& cpu() {
  return find_contract("cpu");
}

const TapResult* find(const Verdict& verdict, Tap tap) {
  const auto found = std::find_if(verdict.taps.begin(), verdict.taps.end(),
                                  [&](const TapResult& r) { return r.tap == tap; });
  return found == verdict.taps.end() ? nullptr : &*found;
}

bool has_note(const Verdict& verdict, const std::string& part) {
  return std::any_of(verdict.notes.begin(), verdict.notes.end(),
                     [&](const std::string& note) { return note.find(part) != std::string::npos; });
}

void expect_pass(const Scenario& scenario) {
  const RandomInputs inputs(scenario);
  const Verdict verdict = TinyRun(inputs).judged(cpu());
  EXPECT_TRUE(verdict.pass) << verdict.blame->sentence;
  EXPECT_FALSE(verdict.taps.empty());
  for (const TapResult& r : verdict.taps) {
    EXPECT_EQ(r.failures, 0);
    EXPECT_LE(r.worst_ratio, 1.0);
    EXPECT_GT(r.values, 0);
    EXPECT_LT(r.blindness, kBlind) << name_of(r.tap);
  }
}

TEST(Judge, ACorrectRunPassesInEveryFormat) {
  for (const Entry entry : {Entry::layer, Entry::core, Entry::merge}) {
    for (const Dtype dtype : {Dtype::bf16, Dtype::fp16, Dtype::fp32}) {
      for (const LseForm form : {LseForm::ln, LseForm::log2, LseForm::max_sum}) {
        Scenario s = tiny_scenario(entry);
        s.problem.dtype = s.problem.kv_cache_dtype = dtype;
        s.layout.lse_form = form;
        expect_pass(s);
        s.problem.kv_cache_dtype = Dtype::fp8_e4m3;
        s.problem.kv_scale = 0.037;
        expect_pass(s);
      }
    }
  }
}

TEST(Judge, ACorrectRunPassesUnderEveryOwnership) {
  for (const Ownership ownership :
       {Ownership::contiguous, Ownership::contiguous_blocks, Ownership::interleaved}) {
    for (const DecodeOwner owner : {DecodeOwner::last, DecodeOwner::restarted}) {
      Scenario s = tiny_scenario();
      s.problem.ctx_len = {1, 9, 20};
      s.problem.num_heads = 12;
      s.layout.kvp = 3;
      s.layout.ownership = ownership;
      s.layout.decode_owner = owner;
      s.layout.interleave = 2;
      s.problem.decode_steps = 2;
      expect_pass(s);
    }
  }
}

TEST(Judge, FollowsRejectionsForksAndFinishes) {
  for (const Prompt prompt : {Prompt::computed, Prompt::given}) {
    Scenario s = tiny_scenario();
    s.problem.prompt = prompt;
    s.layout.ownership = Ownership::interleaved;
    s.layout.decode_owner = DecodeOwner::continued;
    s.script = {{StepKind::join, {0, 1}, {}},       {StepKind::decode, {0, 1}, {3, 1}},
                {StepKind::reject, {0}, {2}},       {StepKind::fork, {0}, {}},
                {StepKind::decode, {2, 0}, {1, 0}}, {StepKind::finish, {0}, {}},
                {StepKind::decode, {2, 1}, {2, 3}}};
    expect_pass(s);
  }
}

TEST(Judge, ComparesEveryTapThatThereIs) {
  const RandomInputs layer(tiny_scenario());
  const Verdict all = TinyRun(layer).judged(cpu());
  EXPECT_EQ(all.taps.size(), static_cast<std::size_t>(kTapCount) - 1);  // all but block_table
  EXPECT_TRUE(all.notes.empty());
  for (const Tap tap : {Tap::position, Tap::slot, Tap::local_len, Tap::visible, Tap::cache_rows,
                        Tap::cache_spare, Tap::exchanged, Tap::exchanged_lse}) {
    EXPECT_TRUE(find(all, tap)->exact) << name_of(tap);
  }
  EXPECT_FALSE(find(all, Tap::q)->exact);
  // One step: rows {2, 2} and a padding row; 2 x 2 ranks with 2 heads computed and 1 owned each.
  EXPECT_EQ(find(all, Tap::q)->values, 4 * 4 * 2 * 20);
  EXPECT_EQ(find(all, Tap::latent)->values, 4 * 4 * 20 + 2 * (13 + 6) * 20);
  EXPECT_EQ(find(all, Tap::partial_o)->values, 4 * 5 * 2 * 16);
  EXPECT_EQ(find(all, Tap::cache_rows)->values, 2 * (15 + 8) * 20);
  EXPECT_EQ(find(all, Tap::output)->values, 4 * 5 * 32);

  const RandomInputs merge(tiny_scenario(Entry::merge));
  EXPECT_EQ(TinyRun(merge).judged(cpu()).taps.size(), 2u);
}

TEST(Judge, ExactFamiliesAreJudgedBitForBit) {
  for (const Family family : {Family::null_test, Family::one_hot, Family::integers}) {
    Scenario s = tiny_scenario(Entry::core);
    s.problem.data.family = family;
    const auto inputs = make_case(s);
    TinyRun run(*inputs);
    const Verdict verdict = run.judged(cpu());
    EXPECT_TRUE(verdict.pass) << verdict.blame->sentence;
    if (family == Family::integers) continue;
    // Shards without the hot key are ordinary: uniform weights, values that round.
    EXPECT_EQ(find(verdict, Tap::partial_o)->exact, family == Family::null_test);
    // The smallest subnormal where +0 belongs, or a neighbouring code, on whichever rank is hot.
    for (std::size_t rank = 0; rank < 4; ++rank) {
      const Verdict off = run.judged(cpu(), [&](std::int64_t, Ranks& ranks) {
        ranks[rank][static_cast<std::size_t>(Tap::partial_o)].bytes[0] ^= std::byte{1};
      });
      EXPECT_FALSE(off.pass);
      EXPECT_EQ(off.blame->tap, Tap::partial_o);
    }
  }
}

TEST(Judge, HiddenTapsAreNotedAndTheRestIsStillJudged) {
  const RandomInputs inputs(tiny_scenario());
  TinyRun run(inputs);
  run.hidden = {Tap::exchanged, Tap::exchanged_lse};
  const Verdict spanned = run.judged(cpu());
  EXPECT_TRUE(spanned.pass);
  EXPECT_TRUE(has_note(spanned, "not shown, hence not judged: exchanged, exchanged_lse"));
  EXPECT_NE(find(spanned, Tap::combined), nullptr);  // from what the senders showed
  run.hidden = {Tap::cache_rows, Tap::cache_spare};
  const Verdict fused = run.judged(cpu());
  EXPECT_TRUE(fused.pass);
  EXPECT_TRUE(has_note(fused, "partial_o was shown but not what it is made from"));
  EXPECT_EQ(find(fused, Tap::partial_o), nullptr);
  EXPECT_NE(find(fused, Tap::v_up), nullptr);
}

TEST(Judge, EmptyShardsFollowTheContract) {
  Scenario s = tiny_scenario(Entry::core);
  s.problem.ctx_len = {1};  // rank 0 holds the prompt, rank 1 what is generated: row 0 and 1 see it
  s.problem.predicted_tokens_per_seq = 1;
  s.layout.tpa = 1;
  s.layout.decode_owner = DecodeOwner::restarted;  // rank 1 stays empty
  const RandomInputs inputs(s);
  TinyRun run(inputs);
  const float infinity = std::numeric_limits<float>::infinity();
  const auto plus_inf = [&](std::int64_t, Ranks& ranks) {
    ranks[1][static_cast<std::size_t>(Tap::lse)].set_value(0, infinity);
    ranks[0][static_cast<std::size_t>(Tap::exchanged_lse)].set_value(4, infinity);
  };
  const auto garbage = [&](std::int64_t step, Ranks& ranks) {
    plus_inf(step, ranks);
    ranks[1][static_cast<std::size_t>(Tap::partial_o)].set_value(3, 7.0);
  };
  EXPECT_TRUE(run.judged(cpu()).pass);
  const Verdict refused = run.judged(cpu(), plus_inf);
  EXPECT_FALSE(refused.pass);
  EXPECT_EQ(refused.blame->tap, Tap::lse);
  const Verdict read = run.judged(find_contract("flashmla"), plus_inf);
  EXPECT_TRUE(read.pass) << read.blame->sentence;
  EXPECT_TRUE(has_note(read, "was read as -inf"));
  // A +inf that was read as empty leaves the merge to be judged.
  const Verdict merged =
      run.judged(find_contract("flashmla"), [&](std::int64_t step, Ranks& ranks) {
        plus_inf(step, ranks);
        TinyRun::Shown& combined = ranks[0][static_cast<std::size_t>(Tap::combined)];
        combined.set_value(0, 2 * combined.value(0));
      });
  EXPECT_FALSE(merged.pass);
  EXPECT_EQ(merged.blame->tap, Tap::combined);
  EXPECT_FALSE(run.judged(find_contract("flashmla"), garbage).pass);
  EXPECT_TRUE(run.judged(find_contract("trtllm"), garbage).pass);
}

TEST(Judge, EachStageHasItsOwnContract) {
  Scenario s = tiny_scenario();
  s.problem.position_base = 500000;
  const RandomInputs inputs(s);
  TinyRun run(inputs);
  const auto turn = [](std::int64_t, Ranks& ranks) {
    for (TinyRun::RankShown& rank : ranks) {  // a rotation that is off by 1 %, as fp32 angles are
      TinyRun::Shown& q = rank[static_cast<std::size_t>(Tap::q)];
      const double a = q.value(16), b = q.value(17);
      q.set_value(16, a - 0.01 * b);
      q.set_value(17, b + 0.01 * a);
    }
  };
  StageContracts contracts;
  contracts.fill(&cpu());
  const auto verdict_of = [&] {
    Judge judge(inputs, contracts);
    run.show(judge, turn);
    return judge.verdict();
  };
  EXPECT_EQ(verdict_of().blame->tap, Tap::q);
  contracts[static_cast<std::size_t>(Stage::project)] = &find_contract("trtllm");
  const Verdict verdict = verdict_of();  // attend, which received the turned q, is still in order
  ASSERT_TRUE(verdict.blame);
  EXPECT_EQ(verdict.blame->tap, Tap::partial_o);
}

}  // namespace
}  // namespace helixcheck
