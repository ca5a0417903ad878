#include "mutants/fixed_suite.hpp"

#include <array>
#include <gtest/gtest.h>

#include "planted.hpp"
#include "scenario/error.hpp"

namespace helixcheck {
namespace {

// The shape of the fixed test's scenarios, made small.
CorpusEntry small(std::int64_t ctx_len) {
  CorpusEntry entry;
  Problem& p = entry.scenario.problem;
  p.hidden_size = 64;
  p.num_heads = 4;
  p.kv_lora_rank = 16;
  p.qk_nope_head_dim = p.v_head_dim = 8;
  p.qk_rope_head_dim = 8;
  p.ctx_len = {ctx_len, ctx_len};
  entry.scenario.name = "ctx" + std::to_string(ctx_len);
  return entry;
}

const std::array<const Mutant*, 3> kChosen{&planted::own, &planted::shift, &planted::right};

TEST(FixedSuite, ToleranceSeesTheOutputAlone) {
  const FixedReport report = score_fixed(kChosen, {small(8), small(32)}, {FixedVerdict::mismatch});
  EXPECT_FALSE(report.correct.killed());
  EXPECT_FALSE(report.correct.killed_independent());
  ASSERT_EQ(report.correct.runs.size(), 2u);
  EXPECT_TRUE(report.scores[0].killed());
  EXPECT_TRUE(report.scores[0].killed_independent());
  EXPECT_EQ(report.scores[0].killed_by(), "ctx8");
  EXPECT_EQ(report.scores[0].runs.size(), 1u);  // it is decided
  EXPECT_FALSE(report.scores[1].killed());      // only the merged LSE is wrong
  EXPECT_FALSE(report.scores[1].killed_independent());
  EXPECT_EQ(report.scores[1].runs.size(), 2u);
  EXPECT_FALSE(report.scores[2].killed());
}

TEST(FixedSuite, BoundsSeeEveryTap) {
  const FixedReport report = score_fixed(kChosen, {small(8)}, {FixedVerdict::bounds, 2});
  EXPECT_FALSE(report.correct.killed());
  EXPECT_TRUE(report.scores[0].killed());
  EXPECT_EQ(report.scores[0].blame, "combine");
  EXPECT_TRUE(report.scores[1].killed());
  EXPECT_FALSE(report.scores[2].killed());
}

// After the first scenario: `own` is decided by then, the others are not.
TEST(FixedSuite, SaysWhoWasNotThrough) {
  bool first_done = false;
  FixedOptions options{FixedVerdict::mismatch};
  options.interrupted = [&] { return first_done; };
  options.progress = [&](const std::string&, std::size_t done, std::size_t of) {
    first_done = done == of;
  };
  const FixedReport report = score_fixed(kChosen, {small(8), small(32)}, options);
  EXPECT_TRUE(report.interrupted);
  EXPECT_TRUE(report.scores[0].finished);
  EXPECT_FALSE(report.scores[1].finished);
  EXPECT_FALSE(report.scores[2].finished);
  for (const FixedScore& score : score_fixed(kChosen, {small(8)}, {}).scores) {
    EXPECT_TRUE(score.finished);
  }
}

// A fault that one rank has as well cancels in the test's own comparison.
int scaled_output(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  const int status = cpu::combine(self, ranks, comm, error);
  for (std::int32_t i = 0; i < comm->local_ranks; ++i) {
    const hxc_step& step = *ranks[i];
    const std::int64_t bytes = step.model->kv_lora_rank * element_bytes(step.combined);
    for (std::int64_t row = 0; row < step.rows; ++row) {
      for (std::int64_t head = 0; head < step.place->owned_heads; ++head) {
        std::fill_n(at(step.combined, row, head), bytes, std::byte{0x40});
      }
    }
  }
  return status;
}
constexpr hxc_entry kScaled[] = {{HXC_COMBINE, HXC_COMBINE, scaled_output}};
constexpr hxc_subject kScaledTable = planted::table("scaled", kScaled);

TEST(FixedSuite, OneRankOfTheSameCodeIsNoIndependentReference) {
  Mutant common = planted::own;
  common.subject = &kScaledTable;
  const std::array<const Mutant*, 1> chosen{&common};
  const FixedReport report = score_fixed(chosen, {small(8)}, {FixedVerdict::mismatch});
  EXPECT_FALSE(report.scores[0].killed());
  EXPECT_TRUE(report.scores[0].killed_independent());
}

TEST(FixedSuite, RefusesOtherEntries) {
  CorpusEntry core = small(8);
  core.scenario.problem.entry = Entry::core;
  EXPECT_THROW(score_fixed(kChosen, {core}, {FixedVerdict::bounds}), InputError);
}

TEST(FixedSuite, RefusesMutantsOfDeviceCode) {
  Mutant device = planted::own;
  device.subject = nullptr;
  const std::array<const Mutant*, 2> chosen{&planted::right, &device};
  EXPECT_THROW(score_fixed(chosen, {small(8)}, {FixedVerdict::bounds}), InputError);
}

}  // namespace
}  // namespace helixcheck
