// Offsets that need more than 32 bits: the right subject passes, one that truncates them is found
// by its values or its stray writes, and the process lives.

#include <gtest/gtest.h>

#include "run/run.hpp"
#include "scenario/names.hpp"
#include "scenario/validate.hpp"
#include "subject/cpu/subject.hpp"
#include "support/key_faults.hpp"

namespace helixcheck {
namespace {

// Pages of 20 * 40 = 800 elements; decoding writes one row a rank and step.
Scenario far_scenario(std::int64_t page_id_base, Poison poison) {
  Scenario s;
  s.problem.entry = Entry::core;
  s.problem.num_heads = 4;
  s.problem.kv_lora_rank = 32;
  s.problem.qk_rope_head_dim = 8;
  s.problem.ctx_len = {61, 18};
  s.problem.decode_steps = 2;
  s.layout.decode_owner = DecodeOwner::restarted;
  s.layout.kv_cache_tokens_per_block = 20;
  s.layout.page_id_base = page_id_base;
  s.layout.poison = poison;
  validate(s);
  return s;
}

constexpr std::int64_t kPastSigned = 2684355;    // x 800: just above 2^31
constexpr std::int64_t kPastUnsigned = 5368710;  // just above 2^32
constexpr std::int64_t kFar = 1370000000;        // just below 2^40

RunResult run(const Scenario& s, const Subject& subject) {
  return run_scenario(s, *make_sim_world(s), subject);
}

TEST(FarPageIds, PassWithTheRightSubject) {
  const Subject subject(cpu::subject());
  for (const std::int64_t base : {kPastSigned - 3, kPastSigned, kPastUnsigned - 3, kFar}) {
    const RunResult result = run(far_scenario(base, Poison::nan), subject);
    EXPECT_TRUE(result.verdict.pass) << result.verdict.blame->sentence;
  }
}

void expect_found(Wrap wrap, std::int64_t base, Stage stage) {
  for (const Poison poison : {Poison::nan, Poison::inf, Poison::huge, Poison::zero}) {
    const Scenario s = far_scenario(base, poison);
    const Subject subject(cpu::subject(), &wrapping_subject(wrap));
    const RunResult result = run(s, subject);
    ASSERT_FALSE(result.verdict.pass) << subject.name() << " at " << base;
    EXPECT_EQ(result.verdict.blame->stage, stage) << result.verdict.blame->sentence;
    EXPECT_TRUE(result.same_again) << subject.name();
  }
}

TEST(FarPageIds, TruncatedOffsetsAreBlamedOnTheirStage) {
  for (const std::int64_t base : {kPastSigned, kPastUnsigned, kFar}) {
    expect_found(Wrap::append_signed, base, Stage::append);
    expect_found(Wrap::attend_signed, base, Stage::attend);
    if (base == kPastSigned) continue;  // still right in 32 bits without a sign
    expect_found(Wrap::append_unsigned, base, Stage::append);
    expect_found(Wrap::attend_unsigned, base, Stage::attend);
  }
}

}  // namespace
}  // namespace helixcheck
