// Runs that show only merged results: correct ones pass, faults of a single key are seen and blamed
// on the merge, and what the composed bound cannot judge is left to the ensemble.

#include "verdict/hidden_span.hpp"

#include <gtest/gtest.h>

#include "mla/formats.hpp"
#include "run/run.hpp"
#include "subject/cpu/subject.hpp"
#include "support/faulty_subject.hpp"
#include "support/key_faults.hpp"
#include "support/random_inputs.hpp"
#include "tiny_run.hpp"
#include "verdict/span_reference.hpp"

namespace helixcheck {
namespace {

Scenario unobserved(Dtype dtype = Dtype::bf16) {
  Scenario s;
  s.problem.entry = Entry::core;
  s.problem.num_heads = 4;
  s.problem.kv_lora_rank = 16;
  s.problem.qk_rope_head_dim = 4;
  s.problem.dtype = s.problem.kv_cache_dtype = dtype;
  s.problem.ctx_len = {200};
  s.layout.kvp = 2;
  s.layout.ownership = Ownership::interleaved;
  s.layout.kv_cache_tokens_per_block = 16;
  s.run.observe = Observe::end;
  return s;
}

Verdict verdict_of(const Scenario& s, const hxc_subject* fault = nullptr) {
  const Subject subject(cpu::subject(), fault);
  return run_scenario(s, *make_sim_world(s), subject).verdict;
}

void expect_seen(const Scenario& s, const hxc_subject& fault, const std::string& what) {
  const Verdict verdict = verdict_of(s, &fault);
  ASSERT_FALSE(verdict.pass) << what;
  EXPECT_EQ(verdict.blame->stage, Stage::combine) << what << ": " << verdict.blame->sentence;
}

const TapResult& merged_values(const Verdict& verdict) {
  static const TapResult none;
  for (const TapResult& tap : verdict.taps) {
    if (tap.tap == Tap::combined) return tap;
  }
  ADD_FAILURE() << "combined was not judged";
  return none;
}

TEST(HiddenSpan, CorrectRunsPass) {
  for (const Dtype dtype : {Dtype::bf16, Dtype::fp16, Dtype::fp32}) {
    for (const LseForm form : {LseForm::ln, LseForm::log2, LseForm::max_sum}) {
      Scenario s = unobserved(dtype);
      s.problem.ctx_len = {0, 1, 200, 37};  // with empty shards
      s.problem.decode_steps = 2;
      s.problem.predicted_tokens_per_seq = 2;
      s.layout.kvp = 3;
      s.layout.tpa = 2;
      s.problem.num_heads = 6;
      s.layout.padding_rows = 2;
      s.layout.lse_form = form;
      const Verdict verdict = verdict_of(s);
      ASSERT_TRUE(verdict.pass) << verdict.blame->sentence;
      EXPECT_EQ(verdict.unjudged, "");
      EXPECT_EQ(merged_values(verdict).values, 2 * (8 + 2) * 6 * 16) << "of each row, once";
      EXPECT_GT(merged_values(verdict).worst_ratio, 0);
    }
  }
}

TEST(HiddenSpan, FaultsAreSeenAndBlamedOnTheMerge) {
  for (const Dtype dtype : {Dtype::bf16, Dtype::fp16, Dtype::fp32}) {
    const Scenario s = unobserved(dtype);
    expect_seen(s, faulty_subject(Fault::dropped_key), "dropped key");
    expect_seen(s, faulty_subject(Fault::log2_merge), "log2 merge");
    expect_seen(s, faulty_subject(Fault::lost_statistics), "lost statistics");
  }
}

// The bound follows from the inputs alone, so that a key's own weight is all that hides it.
TEST(HiddenSpan, OneKeyOfTwoHundredIsSeen) {
  for (const Dtype dtype : {Dtype::fp32, Dtype::bf16}) {
    Scenario s = unobserved(dtype);
    s.problem.data.logit_gain = 0.1;  // all keys weigh nearly the same
    for (const std::int64_t local : {0, 17, 63, 98}) {
      for (const int rank : {0, 1}) {
        expect_seen(s, key_fault_subject({KeyFaultKind::lost, rank, local, 0}), "lost");
        expect_seen(s, key_fault_subject({KeyFaultKind::doubled, rank, local, 0}), "doubled");
        expect_seen(s, key_fault_subject({KeyFaultKind::stale, rank, local, 40}), "stale");
      }
    }
  }
}

TEST(HiddenSpan, IsLeftToTheEnsembleWhereAScaleRounds) {
  Scenario sharp = unobserved(), blunt = unobserved();
  sharp.problem.kv_cache_dtype = blunt.problem.kv_cache_dtype = Dtype::fp8_e4m3;
  sharp.problem.kv_scale = 0.5;
  blunt.problem.kv_scale = 0.7;
  const Verdict one = verdict_of(sharp), other = verdict_of(blunt);
  ASSERT_TRUE(one.pass) << one.blame->sentence;
  ASSERT_TRUE(other.pass) << other.blame->sentence;
  EXPECT_EQ(other.unjudged, "");
  EXPECT_LT(2 * merged_values(one).blindness, merged_values(other).blindness);
  expect_seen(blunt, faulty_subject(Fault::log2_merge), "log2 merge");
  expect_seen(blunt, faulty_subject(Fault::lost_statistics), "lost statistics");
}

// Asks for a judgement of each step, and whether anything was compared for it.
class Asked : public Observer {
 public:
  explicit Asked(const Inputs& inputs) : state_(inputs, everywhere()) {}
  void on_prompt(const PromptTaps&) override {}
  void on_event(const Step& step, const History& after) override {
    state_.mirror.follow(step, after);
  }
  void on_step(const StepTaps& taps) override {
    ++steps;
    judged += judge_hidden_span(state_, StepView(state_.scenario, state_.geometry, taps)) ? 1 : 0;
    for (const Tap tap : {Tap::combined, Tap::combined_lse}) {
      compared += state_.ledger.compared(tap) ? 1 : 0;
    }
    state_.ledger.close_step();
  }
  Verdict verdict() const { return state_.ledger.verdict(); }
  int steps = 0, judged = 0, compared = 0;

 private:
  static StageContracts everywhere() {
    StageContracts all;
    all.fill(&find_contract("cpu"));
    return all;
  }
  JudgeState state_;
};

TEST(JudgeHiddenSpan, JudgesBothResultsOfEachStepOrNothing) {
  struct Expected {
    Entry entry;
    double scale;
    bool judged;
  };
  for (const Expected& expected :
       {Expected{Entry::core, 1, true}, Expected{Entry::core, 0.5, true},
        Expected{Entry::core, 0.7, false}, Expected{Entry::layer, 1, false}}) {
    Scenario s = tiny_scenario(expected.entry);
    s.problem.kv_cache_dtype = Dtype::fp8_e4m3;
    s.problem.kv_scale = expected.scale;
    s.problem.decode_steps = 2;
    const RandomInputs inputs(s);
    TinyRun run(inputs);
    Asked asked(inputs);
    run.show(asked);
    EXPECT_EQ(asked.steps, 2);
    EXPECT_EQ(asked.judged, expected.judged ? 2 : 0) << expected.scale;
    EXPECT_EQ(asked.compared, expected.judged ? 4 : 0) << expected.scale;
    EXPECT_TRUE(asked.verdict().pass);
  }
}

TEST(SpanReference, KnowsWhichScalesRound) {
  Problem problem;
  for (const double scale : {1.0, 0.0625, 4.0, 0x1p-20}) {
    problem.kv_scale = scale;
    EXPECT_FALSE(scale_rounds(problem)) << scale;
  }
  for (const double scale : {0.7, 3.0, 0.06, 1.0000001}) {
    problem.kv_scale = scale;
    EXPECT_TRUE(scale_rounds(problem)) << scale;
  }
}

TEST(SpanReference, TrustsOnlyValuesWithoutStructure) {
  Data data;
  EXPECT_TRUE(scores_are_dithered(data));
  data.lse_gap = 5;
  EXPECT_FALSE(scores_are_dithered(data));
  data = {};
  data.family = Family::null_test;
  EXPECT_FALSE(scores_are_dithered(data));
  data = {};
  data.tensors = "dump.safetensors";
  EXPECT_FALSE(scores_are_dithered(data));
}

}  // namespace
}  // namespace helixcheck
