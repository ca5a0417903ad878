// The registry: every mutant fails on the scenario that must expose it, where it says, and the
// subject that it is made from does not. For those of device code tests/kernels says so.

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <regex>
#include <set>

#include "mutants/smallest.hpp"
#include "property/property.hpp"
#include "scenario/error.hpp"
#include "scenario/print.hpp"
#include "subject/cpu/subject.hpp"
#include "subject/mutants/mutants.hpp"
#include "verdict/verdict.hpp"

namespace helixcheck {
namespace {

std::optional<Failure> failure_of(const Scenario& scenario, const Subject& subject) {
  return find_property("equivalence").check(scenario, subject, {}).failure;
}

std::string text_of(const Scenario& scenario) {
  return fmt::format("{}", fmt::join(print_arguments(scenario), " "));
}

TEST(MutantRegistry, HasAllClassesAndNoNameTwice) {
  const std::regex source(R"((like )?[\w.-]+/[\w.-]+#\d+)");
  std::set<std::string_view> ids, classes;
  for (const Mutant& mutant : mutants()) {
    EXPECT_TRUE(ids.insert(mutant.id).second) << mutant.id;
    classes.insert(name_of(mutant.mutant_class));
    EXPECT_TRUE(std::all_of(mutant.id.begin(), mutant.id.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    })) << mutant.id;
    EXPECT_FALSE(mutant.title.empty()) << mutant.id;
    EXPECT_TRUE(std::regex_match(std::string(mutant.source), source)) << mutant.source;
    EXPECT_EQ(&find_mutant(mutant.id), &mutant);
    if (mutant.memory() != HXC_HOST) continue;
    ASSERT_EQ(mutant.subject->entry_count, 1) << mutant.id;
    EXPECT_EQ(mutant.subject->entries[0].first, mutant.stage) << mutant.id;
  }
  EXPECT_GE(ids.size(), 80u);
  EXPECT_EQ(classes.size(), 10u);
}

TEST(MutantRegistry, NamesWhatIsNearAnUnknownOne) {
  try {
    find_subject("mutant:merge_weight_base_3");
    FAIL() << "no refusal";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("merge_weight_base_2"), std::string::npos)
        << error.what();
  }
}

TEST(MutantRegistry, SaysWhatIsMissingForThoseOfDeviceCode) {
  for (const Mutant& mutant : mutants()) {
    if (mutant.memory() != HXC_CUDA) continue;
    try {
      const auto subject = find_subject("mutant:" + std::string(mutant.id));
      EXPECT_EQ(subject->name(), "cuda+" + std::string(mutant.id));  // here is a GPU
    } catch (const ResourceError& error) {
      EXPECT_NE(std::string(error.what()).find("CUDA"), std::string::npos) << error.what();
    }
  }
}

TEST(MutantRegistry, HasScenariosForThoseOfDeviceCodeThatRightCodePasses) {
  std::size_t count = 0;
  for (const Mutant& mutant : mutants()) {
    if (mutant.memory() != HXC_CUDA) continue;
    const Scenario scenario = smallest_scenario(mutant);
    EXPECT_FALSE(failure_of(scenario, Subject(cpu::subject()))) << text_of(scenario);
    ++count;
  }
  EXPECT_GE(count, 6u);
}

class RegisteredMutant : public testing::TestWithParam<std::size_t> {};

TEST_P(RegisteredMutant, FailsOnItsSmallestScenarioAtItsStage) {
  const Mutant& mutant = mutants()[GetParam()];
  const Scenario scenario = smallest_scenario(mutant);
  EXPECT_FALSE(failure_of(scenario, Subject(cpu::subject()))) << text_of(scenario);
  const auto subject = find_subject("mutant:" + std::string(mutant.id));
  const std::optional<Failure> failure = failure_of(scenario, *subject);
  ASSERT_TRUE(failure) << text_of(scenario);
  ASSERT_TRUE(failure->blame.stage) << failure->blame.sentence;
  EXPECT_EQ(name_of(*failure->blame.stage), stage_name(mutant.stage)) << failure->blame.sentence;
}

// They come first.
std::size_t host_mutants() {
  const auto on_host = [](const Mutant& mutant) { return mutant.memory() == HXC_HOST; };
  return static_cast<std::size_t>(std::count_if(mutants().begin(), mutants().end(), on_host));
}

INSTANTIATE_TEST_SUITE_P(All, RegisteredMutant, testing::Range(std::size_t{0}, host_mutants()),
                         [](const testing::TestParamInfo<std::size_t>& which) {
                           return std::string(mutants()[which.param].id);
                         });

}  // namespace
}  // namespace helixcheck
