// The search as a whole: what it finds, whom it blames, and that its result does not depend on how
// the cases are divided among workers or calls.

#include "campaign/check.hpp"

#include <gtest/gtest.h>

#include "scenario/error.hpp"
#include "scenario/json.hpp"
#include "subject/canary.hpp"
#include "subject/cpu/subject.hpp"
#include "support/faulty_subject.hpp"

namespace helixcheck {
namespace {

CheckOptions cases(std::uint64_t count, std::vector<std::string> properties = {}) {
  CheckOptions options;
  options.cases = count;
  options.properties = std::move(properties);
  return options;
}

Subject canary() {
  return Subject(cpu::subject(), &canary_subject());
}

const Finding* find_stage(const CheckReport& report, const std::string& stage) {
  for (const Finding& finding : report.findings) {
    if (finding.signature.stage == stage && finding.signature.kind == "value") return &finding;
  }
  return nullptr;
}

// How often something failed, found or seen again.
std::uint64_t failures(const CheckReport& report) {
  std::uint64_t sum = 0;
  for (const Finding& finding : report.findings) sum += 1 + finding.seen_again;
  return sum;
}

TEST(Check, ShrinksTheCanaryToItsKnownMinimum) {
  const CheckReport report = check(canary(), cases(400, {"equivalence"}));
  const Finding* finding = find_stage(report, "attend");
  ASSERT_NE(finding, nullptr);
  Scenario minimum;
  minimum.problem.entry = Entry::core;
  minimum.problem.num_heads = 3;
  minimum.problem.kv_lora_rank = 1;
  minimum.problem.qk_nope_head_dim = 1;
  minimum.problem.qk_rope_head_dim = 2;
  minimum.problem.dtype = Dtype::fp16;
  minimum.problem.kv_cache_dtype = Dtype::fp16;
  minimum.problem.ctx_len = {0};
  minimum.layout.kvp = 3;
  minimum.layout.kv_cache_tokens_per_block = 2;
  EXPECT_EQ(finding->scenario, minimum) << print_scenario(finding->scenario);
  EXPECT_TRUE(finding->locally_minimal);
  EXPECT_EQ(finding->stopped_by, "");
  EXPECT_GT(finding->shrink_evaluations, 0);
  EXPECT_TRUE(finding->before.empty());
  EXPECT_EQ(finding->nondeterminism, "");
  EXPECT_EQ(finding->blame.stage, Stage::attend);
  EXPECT_EQ(finding->blame.place.rank, 2) << "of the shrunk scenario";
  EXPECT_EQ(to_text(finding->signature), "equivalence/cpu+canary/value/attend");
  bool explained = false;
  for (const FieldExplanation& field : finding->explanation.fields) {
    explained = explained || (field.path == "layout.kvp" && field.matters && field.text == ">= 3");
  }
  EXPECT_TRUE(explained);
}

TEST(Check, BlamesTheStageWithTheFault) {
  struct Planted {
    Fault fault;
    Stage stage;
  };
  // The other faults would write outside of the memory of some scenarios.
  const Planted all[] = {{Fault::dropped_key, Stage::attend},
                         {Fault::log2_merge, Stage::combine},
                         {Fault::lost_statistics, Stage::exchange}};
  for (const Planted& planted : all) {
    const Subject subject(cpu::subject(), &faulty_subject(planted.fault));
    CheckOptions options = cases(60, {"equivalence"});
    options.max_findings = 3;
    const CheckReport report = check(subject, options);
    const Finding* finding = find_stage(report, std::string(name_of(planted.stage)));
    ASSERT_NE(finding, nullptr) << subject.name();
    EXPECT_EQ(finding->blame.stage, planted.stage) << finding->blame.sentence;
    EXPECT_TRUE(finding->locally_minimal) << subject.name();
    EXPECT_EQ(finding->scenario.problem.batch(), 1) << subject.name();
  }
}

TEST(Check, FindsNothingInARightSubject) {
  const CheckReport report = check(Subject(cpu::subject()), cases(150));
  EXPECT_TRUE(report.findings.empty()) << report.findings.front().blame.sentence;
  EXPECT_EQ(report.statistics.cases() + report.statistics.unjudged(), 150u);
  EXPECT_GT(report.statistics.worst_ratio(), 0);
  EXPECT_LE(report.statistics.worst_ratio(), 1);
  EXPECT_GT(report.seconds, 0);
  EXPECT_GE(report.total_seconds, report.seconds);
  EXPECT_FALSE(report.interrupted);
}

TEST(Check, DoesNotDependOnTheNumberOfWorkers) {
  CheckOptions options = cases(3000, {"page_size", "ranks"});
  options.shrink.evaluations = 40;
  options.max_findings = 2;  // reached long before the last case
  const CheckReport one = check(canary(), options);
  options.jobs = 3;
  const CheckReport three = check(canary(), options);
  EXPECT_LT(one.statistics.cases(), 3000u);
  EXPECT_EQ(one.statistics.cases(), three.statistics.cases());
  EXPECT_EQ(one.statistics.subject_runs(), three.statistics.subject_runs());
  EXPECT_EQ(one.statistics.by_property(), three.statistics.by_property());
  EXPECT_EQ(one.statistics.pairs_drawn(), three.statistics.pairs_drawn());
  EXPECT_EQ(one.statistics.worst_ratios(), three.statistics.worst_ratios());
  ASSERT_EQ(one.findings.size(), 2u);
  ASSERT_EQ(three.findings.size(), 2u);
  for (std::size_t i = 0; i < one.findings.size(); ++i) {
    EXPECT_EQ(one.findings[i].signature, three.findings[i].signature);
    EXPECT_EQ(one.findings[i].scenario, three.findings[i].scenario);
    EXPECT_EQ(one.findings[i].case_index, three.findings[i].case_index);
    EXPECT_EQ(one.findings[i].seen_again, three.findings[i].seen_again);
  }
}

TEST(Check, WindowsAddUp) {
  CheckOptions options = cases(900, {"equivalence"});
  options.max_findings = 100;
  options.shrink.evaluations = 0;
  const CheckReport whole = check(canary(), options);
  options.cases = 400;
  const CheckReport first = check(canary(), options);
  options.first = 400;
  options.cases = 500;
  const CheckReport rest = check(canary(), options);
  EXPECT_EQ(first.statistics.cases(), 400u);
  EXPECT_EQ(whole.statistics.cases(), first.statistics.cases() + rest.statistics.cases());
  EXPECT_EQ(whole.statistics.subject_runs(),
            first.statistics.subject_runs() + rest.statistics.subject_runs());
  ASSERT_GT(failures(whole), 2u);
  EXPECT_EQ(failures(whole), failures(first) + failures(rest));
  ASSERT_FALSE(rest.findings.empty());
  EXPECT_GE(rest.findings.front().case_index, 400u);
}

TEST(Check, AnotherSeedIsAnotherSeries) {
  CheckOptions options = cases(40);
  const CheckReport one = check(Subject(cpu::subject()), options);
  options.seed = 2;
  const CheckReport two = check(Subject(cpu::subject()), options);
  EXPECT_NE(one.statistics.worst_ratios(), two.statistics.worst_ratios());
}

TEST(Check, EndsWhenItIsInterruptedAndKeepsWhatItHas) {
  CheckOptions options;  // neither cases nor seconds: without end
  options.properties = {"equivalence"};
  bool shrinking = false;
  options.progress = [&](const CheckProgress& now) { shrinking = now.doing != "checking"; };
  options.interrupted = [&shrinking] { return shrinking; };
  const CheckReport report = check(canary(), options);
  EXPECT_TRUE(report.interrupted);
  EXPECT_GT(report.statistics.cases(), 0u);
  ASSERT_FALSE(report.findings.empty());
  EXPECT_EQ(report.findings.front().stopped_by, "interrupt");
  EXPECT_FALSE(report.findings.front().locally_minimal);
}

TEST(Check, EndsWhenItsTimeIsOver) {
  CheckOptions options;
  options.seconds = 0.05;
  const CheckReport report = check(Subject(cpu::subject()), options);
  EXPECT_GE(report.seconds, 0.05);
  EXPECT_GT(report.statistics.cases(), 0u);
  EXPECT_FALSE(report.interrupted);
}

TEST(Check, RefusesNamesThatDoNotExist) {
  EXPECT_THROW(check(canary(), cases(1, {"equivalence", "beauty"})), InputError);
  CheckOptions options = cases(1);
  options.run.contract = "sloppy";
  EXPECT_THROW(check(canary(), options), InputError) << "no case would be judged";
}

}  // namespace
}  // namespace helixcheck
