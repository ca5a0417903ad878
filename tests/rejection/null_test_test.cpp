// The null test sees one wrong key among a million, and names it.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <string>

#include "run/run.hpp"
#include "scenario/ownership.hpp"
#include "scenario/validate.hpp"
#include "subject/cpu/subject.hpp"
#include "support/key_faults.hpp"

namespace helixcheck {
namespace {

Scenario null_scenario(std::int64_t ctx_len, std::int64_t kvp) {
  Scenario s;
  s.problem.entry = Entry::core;
  s.problem.data.family = Family::null_test;
  s.problem.num_heads = 16;
  s.problem.kv_lora_rank = 32;
  s.problem.qk_rope_head_dim = 2;
  s.problem.ctx_len = {ctx_len};
  s.layout.kvp = kvp;
  s.layout.kv_cache_tokens_per_block = 48;  // no shard of these lengths ends with a full page
  validate(s);
  return s;
}

std::string key_text(const Scenario& s, int rank, std::int64_t local) {
  const std::int64_t index = nth_owned_prompt(s.layout, rank, local, s.problem.ctx_len[0]);
  return fmt::format("key {} of request 0 (rank {})", index, rank);
}

void expect_named(const Scenario& s, const KeyFault& fault, const std::string& text) {
  const Subject subject(cpu::subject(), &key_fault_subject(fault));
  const RunResult result = run_scenario(s, *make_sim_world(s), subject);
  ASSERT_FALSE(result.verdict.pass);
  EXPECT_EQ(result.verdict.blame->stage, Stage::attend);
  EXPECT_NE(result.verdict.blame->sentence.find(text), std::string::npos)
      << result.verdict.blame->sentence << "\nshould say: " << text;
}

TEST(NullTest, NamesTheKey) {
  for (const Ownership ownership : {Ownership::contiguous, Ownership::interleaved}) {
    Scenario s = null_scenario(4102, 4);
    s.layout.ownership = ownership;
    for (const std::int64_t local : {0, 7, 512, 1023}) {
      const std::string key = key_text(s, 2, local), other = key_text(s, 2, 300);
      expect_named(s, {KeyFaultKind::lost, 2, local, 0}, key + ", lost");
      expect_named(s, {KeyFaultKind::doubled, 2, local, 0}, key + ", doubled");
      expect_named(s, {KeyFaultKind::stale, 2, local, 300}, key + ", overwritten by " + other);
    }
  }
}

TEST(NullTest, NamesTheKeyInTheCombinedResult) {
  Scenario s = null_scenario(3000, 4);
  s.run.observe = Observe::end;
  const Subject subject(cpu::subject(), &key_fault_subject({KeyFaultKind::lost, 1, 99, 0}));
  const RunResult result = run_scenario(s, *make_sim_world(s), subject);
  ASSERT_FALSE(result.verdict.pass);
  EXPECT_NE(result.verdict.blame->sentence.find(key_text(s, 1, 99)), std::string::npos)
      << result.verdict.blame->sentence;
}

TEST(NullTestSlow, NamesOneKeyOfAMillion) {
  const Scenario s = null_scenario(1048576, 16);
  const std::string key = key_text(s, 7, 40961), other = key_text(s, 7, 11);
  expect_named(s, {KeyFaultKind::lost, 7, 40961, 0}, key + ", lost");
  expect_named(s, {KeyFaultKind::doubled, 7, 40961, 0}, key + ", doubled");
  expect_named(s, {KeyFaultKind::stale, 7, 40961, 11}, key + ", overwritten by " + other);
}

}  // namespace
}  // namespace helixcheck
