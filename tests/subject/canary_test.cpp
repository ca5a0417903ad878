// The canary: a whole subject but for one stage, which loses one key exactly where it says.

#include "subject/canary.hpp"

#include <algorithm>
#include <gtest/gtest.h>

#include "run/run.hpp"
#include "subject/cpu/subject.hpp"
#include "subject/subject.hpp"

namespace helixcheck {
namespace {

// One request on three ranks, its new tokens on the last one.
Scenario three_ranks(std::int64_t ctx_len) {
  Scenario s;
  s.problem.entry = Entry::core;
  s.problem.num_heads = 3;
  s.problem.kv_lora_rank = 8;
  s.problem.qk_rope_head_dim = 4;
  s.problem.ctx_len = {ctx_len};
  s.layout.kvp = 3;
  s.layout.ownership = Ownership::contiguous;
  s.layout.decode_owner = DecodeOwner::last;
  s.layout.kv_cache_tokens_per_block = 4;
  s.problem.dtype = s.problem.kv_cache_dtype = Dtype::fp16;
  return s;
}

Verdict verdict_of(const Scenario& s) {
  const Subject subject(cpu::subject(), &canary_subject());
  return run_scenario(s, *make_sim_world(s), subject).verdict;
}

TEST(Canary, IsTheCpuSubjectWithAnAttentionOfItsOwn) {
  const hxc_subject& table = canary_subject();
  EXPECT_EQ(table.abi_version, HXC_ABI_VERSION);
  EXPECT_STREQ(table.name, "canary");
  ASSERT_EQ(table.entry_count, 1);
  EXPECT_EQ(table.entries[0].first, HXC_ATTEND);
  EXPECT_EQ(table.entries[0].last, HXC_ATTEND);
  EXPECT_NE(table.create, nullptr);
  EXPECT_NE(table.destroy, nullptr);
  const Subject subject(cpu::subject(), &table);
  EXPECT_EQ(subject.name(), "cpu+canary");
  EXPECT_EQ(subject.contract_of(HXC_ATTEND), "cpu") << "it promises what it does not keep";
  for (const Subject::Part& part : subject.parts()) {
    EXPECT_EQ(part.overridden, part.first == HXC_ATTEND) << stage_name(part.first);
  }
  const auto all = builtin_subjects();
  EXPECT_NE(std::find(all.begin(), all.end(), &table), all.end());
}

TEST(Canary, LosesTheKeyThatBeginsAPageOfTheLastRank) {
  for (const std::int64_t ctx_len : {0, 12, 24}) {  // the new token is number 0, 4, 8 of its shard
    const Verdict verdict = verdict_of(three_ranks(ctx_len));
    ASSERT_FALSE(verdict.pass) << "prompt of " << ctx_len;
    EXPECT_EQ(verdict.blame->stage, Stage::attend) << verdict.blame->sentence;
    EXPECT_EQ(verdict.blame->place.rank, 2);
  }
}

TEST(Canary, IsRightEverywhereElse) {
  for (const std::int64_t ctx_len : {3, 6, 9, 15}) {
    const Verdict verdict = verdict_of(three_ranks(ctx_len));
    EXPECT_TRUE(verdict.pass) << verdict.blame->sentence;
  }
  Scenario s = three_ranks(0);
  s.layout.kv_cache_tokens_per_block = 1;
  EXPECT_TRUE(verdict_of(s).pass) << "pages of one token";
  s = three_ranks(0);
  s.problem.dtype = s.problem.kv_cache_dtype = Dtype::bf16;
  EXPECT_TRUE(verdict_of(s).pass) << "bf16";
  s = three_ranks(0);
  s.layout.kvp = 2;
  s.problem.num_heads = 2;
  EXPECT_TRUE(verdict_of(s).pass) << "two ranks";
  s = three_ranks(0);
  s.layout.ownership = Ownership::interleaved;
  s.layout.decode_owner = DecodeOwner::restarted;
  EXPECT_TRUE(verdict_of(s).pass) << "the new token is rank 0's";
}

// The plan that the fault hides a key in is whole again afterwards.
TEST(Canary, FailsInTheStepThatShowsItAndNotBefore) {
  Scenario s = three_ranks(9);
  s.problem.decode_steps = 3;
  const Verdict verdict = verdict_of(s);
  ASSERT_FALSE(verdict.pass);
  EXPECT_EQ(verdict.blame->stage, Stage::attend) << verdict.blame->sentence;
  EXPECT_EQ(verdict.blame->place.step, 2) << "join, token 3 of the shard, token 4";
}

}  // namespace
}  // namespace helixcheck
