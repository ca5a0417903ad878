// From a scenario to a verdict: what a run reports.

#include "run/run.hpp"

#include <gtest/gtest.h>

#include "scenario/error.hpp"
#include "subject/cpu/subject.hpp"
#include "support/faulty_subject.hpp"

namespace helixcheck {
namespace {

Scenario small(Entry entry) {
  Scenario s;
  s.problem.entry = entry;
  s.problem.hidden_size = 40;
  s.problem.num_heads = 4;
  s.problem.kv_lora_rank = 16;
  s.problem.qk_nope_head_dim = 8;
  s.problem.qk_rope_head_dim = 4;
  s.problem.v_head_dim = 8;
  s.problem.ctx_len = {13, 2};
  s.problem.decode_steps = 2;
  s.layout.kv_cache_tokens_per_block = 4;
  return s;
}

RunResult run(const Scenario& s, const Subject& subject, const RunOptions& options = {}) {
  const std::unique_ptr<World> world =
      make_sim_world(static_cast<int>(s.layout.kvp), static_cast<int>(s.layout.tpa));
  return run_scenario(s, *world, subject, options);
}

int fails(void*, hxc_step* const*, hxc_comm*, hxc_error* error) {
  std::snprintf(error->message, sizeof error->message, "no workspace left");
  return 5;
}

int counts_up(void*, hxc_step* const* ranks, hxc_comm*, hxc_error*) {
  static float calls = 0;  // another result at every call
  const hxc_tensor& lse = ranks[0]->combined_lse;
  static_cast<float*>(lse.data)[0] = calls += 1;
  auto* o = static_cast<std::uint16_t*>(ranks[0]->combined.data);
  o[0] = static_cast<std::uint16_t>(calls);
  return 0;
}

hxc_subject one_stage(const hxc_entry* entry) {
  return {HXC_ABI_VERSION, HXC_HOST, "odd", "cpu", 1, entry, nullptr, nullptr, nullptr};
}

TEST(Run, PassesAndRepeatsItsBits) {
  const Subject subject(cpu::subject());
  for (const Entry entry : {Entry::layer, Entry::core}) {
    const RunResult first = run(small(entry), subject), second = run(small(entry), subject);
    ASSERT_TRUE(first.verdict.pass) << first.verdict.blame->sentence;
    EXPECT_FALSE(first.repeated);
    EXPECT_EQ(first.output_hash, second.output_hash);
    ASSERT_NE(first.verdict.worst(), nullptr);
    EXPECT_LE(first.verdict.worst()->worst_ratio, 1.0);
  }
}

TEST(Run, RepeatsAFailureOnce) {
  const Subject subject(cpu::subject(), &faulty_subject(Fault::dropped_key));
  const RunResult result = run(small(Entry::core), subject);
  EXPECT_FALSE(result.verdict.pass);
  EXPECT_TRUE(result.repeated);
  EXPECT_TRUE(result.same_again);
}

TEST(Run, ReportsAVerdictThatChanges) {
  const hxc_entry entry{HXC_COMBINE, HXC_COMBINE, counts_up};
  const hxc_subject table = one_stage(&entry);
  const Subject subject(cpu::subject(), &table);
  const RunResult result = run(small(Entry::core), subject);
  EXPECT_FALSE(result.verdict.pass);
  EXPECT_TRUE(result.repeated);
  EXPECT_FALSE(result.same_again);
}

TEST(Run, TurnsAnErrorStatusIntoAFinding) {
  const hxc_entry entry{HXC_ATTEND, HXC_ATTEND, fails};
  const hxc_subject table = one_stage(&entry);
  const Subject subject(cpu::subject(), &table);
  const RunResult result = run(small(Entry::layer), subject);
  EXPECT_FALSE(result.verdict.pass);
  ASSERT_TRUE(result.verdict.blame);
  for (const char* text : {"attend", "5", "no workspace left"}) {
    EXPECT_NE(result.verdict.blame->sentence.find(text), std::string::npos) << text;
  }
}

int plans_nonsense(void*, hxc_step* const* ranks, hxc_comm*, hxc_error*) {
  const hxc_tensor& slot = ranks[0]->slot;
  static_cast<std::int64_t*>(slot.data)[0] = std::int64_t{1} << 40;
  return 0;
}

TEST(Run, StopsAtAPlanThatPointsOutsideItsMemory) {
  const hxc_entry entry{HXC_PLAN, HXC_PLAN, plans_nonsense};
  const hxc_subject table = one_stage(&entry);
  const Subject subject(cpu::subject(), &table);
  for (const Observe observe : {Observe::all, Observe::end}) {
    Scenario s = small(Entry::core);
    s.run.observe = observe;
    const RunResult result = run(s, subject);
    ASSERT_FALSE(result.verdict.pass);
    EXPECT_EQ(result.verdict.blame->stage, Stage::plan) << result.verdict.blame->sentence;
  }
}

TEST(Run, RefusesSpansThatAnEntryDoesNotRun) {
  const hxc_entry entry{HXC_PROJECT, HXC_APPEND, plans_nonsense};
  const hxc_subject table = one_stage(&entry);
  const Subject subject(cpu::subject(), &table);
  EXPECT_THROW(run(small(Entry::core), subject), InputError);
}

TEST(Run, ResultsThatCannotBeJudgedAreNoPass) {
  const Subject subject(cpu::subject());
  Scenario s = small(Entry::core);
  s.problem.ctx_len = {400000};
  s.problem.kv_lora_rank = 32;
  s.problem.kv_cache_dtype = Dtype::fp8_e4m3;  // with a scale that rounds: codes are not known
  s.problem.kv_scale = 0.7;
  s.run.observe = Observe::end;
  EXPECT_THROW(run(s, subject), InputError);
}

TEST(Run, JudgesByTheContractAskedFor) {
  const Subject subject(cpu::subject_p16());
  Scenario s = small(Entry::core);
  s.problem.ctx_len = {400};
  EXPECT_TRUE(run(s, subject).verdict.pass) << "its own contract";
  RunOptions strict;
  strict.contract = "cpu";
  EXPECT_FALSE(run(s, subject, strict).verdict.pass) << "rounded probabilities are outside `cpu`";
  strict.contract = "sloppy";
  EXPECT_THROW(run(s, subject, strict), InputError);
}

}  // namespace
}  // namespace helixcheck
