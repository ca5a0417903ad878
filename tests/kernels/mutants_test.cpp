// Every mutant of device code fails on the scenario that must expose it, where it says, and subject
// `cuda` does not.

#include "subject/mutants/mutants.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>

#include "kernels/device.hpp"
#include "mutants/score.hpp"
#include "mutants/smallest.hpp"
#include "property/property.hpp"
#include "scenario/print.hpp"
#include "subject/subject.hpp"
#include "verdict/verdict.hpp"

namespace helixcheck {
namespace {

using CudaMutants = OnDevice;

std::vector<const Mutant*> device_mutants() {
  std::vector<const Mutant*> chosen;
  for (const Mutant& mutant : mutants()) {
    if (mutant.memory() == HXC_CUDA) chosen.push_back(&mutant);
  }
  return chosen;
}

std::optional<Failure> failure_of(const Scenario& scenario, const Subject& subject) {
  return find_property("equivalence").check(scenario, subject, {}).failure;
}

std::string text_of(const Scenario& scenario) {
  return fmt::format("{}", fmt::join(print_arguments(scenario), " "));
}

TEST_F(CudaMutants, AreThoseOfTheRegistryAndReplaceOneStageEach) {
  std::set<std::string_view> registered, there;
  for (const Mutant* mutant : device_mutants()) {
    registered.insert(mutant->id);
    const hxc_subject& table = table_of(*mutant);
    ASSERT_EQ(table.entry_count, 1) << mutant->id;
    EXPECT_EQ(table.entries[0].first, mutant->stage) << mutant->id;
    EXPECT_EQ(table.entries[0].last, mutant->stage) << mutant->id;
  }
  for (const hxc_subject& table : cuda::module().mutants()) there.insert(table.name);
  EXPECT_EQ(registered, there);
}

class CudaMutant : public OnDevice, public testing::WithParamInterface<std::size_t> {};

TEST_P(CudaMutant, FailsOnItsSmallestScenarioAtItsStage) {
  const Mutant& mutant = *device_mutants()[GetParam()];
  const Scenario scenario = smallest_scenario(mutant);
  EXPECT_FALSE(failure_of(scenario, *find_subject("cuda"))) << text_of(scenario);
  const auto subject = find_subject("mutant:" + std::string(mutant.id));
  const std::optional<Failure> failure = failure_of(scenario, *subject);
  ASSERT_TRUE(failure) << text_of(scenario);
  ASSERT_TRUE(failure->blame.stage) << failure->blame.sentence;
  EXPECT_EQ(name_of(*failure->blame.stage), stage_name(mutant.stage)) << failure->blame.sentence;
  EXPECT_FALSE(subject->memory().lost()) << failure->blame.sentence;
}

INSTANTIATE_TEST_SUITE_P(All, CudaMutant, testing::Range(std::size_t{0}, device_mutants().size()),
                         [](const testing::TestParamInfo<std::size_t>& which) {
                           return std::string(device_mutants()[which.param]->id);
                         });

TEST_F(CudaMutants, AreScoredBesideSubjectCuda) {
  const std::vector<const Mutant*> one{&find_mutant("device_one_row_a_request")};
  ScoreOptions options;
  options.seeds = 1;
  options.cases = 100;
  const ScoreReport report = score_mutants(one, options);
  EXPECT_TRUE(report.false_alarms.empty());
  ASSERT_EQ(report.scores.size(), 1u);
  EXPECT_TRUE(report.scores[0].killed());
  EXPECT_TRUE(report.scores[0].blame_right()) << report.scores[0].blame();
}

}  // namespace
}  // namespace helixcheck
