// What a mutant remembers ends with the scenario, also where its instance serves the next one.

#include <gtest/gtest.h>

#include "property/property.hpp"
#include "scenario/print.hpp"
#include "subject/cpu/subject.hpp"
#include "subject/instance_keeper.hpp"
#include "subject/mutants/mutants.hpp"

namespace helixcheck {
namespace {

Scenario of_one_step(std::int64_t prompt_len, std::uint64_t seed) {
  Scenario scenario;
  scenario.problem.entry = Entry::core;
  scenario.problem.num_heads = 2;
  scenario.problem.kv_lora_rank = scenario.problem.qk_nope_head_dim = 1;
  scenario.problem.qk_rope_head_dim = 2;
  scenario.problem.ctx_len = {prompt_len};
  scenario.problem.data.seed = seed;
  scenario.layout.kv_cache_tokens_per_block = 1;
  return scenario;
}

bool fails(const Scenario& scenario, const Subject& subject) {
  InstanceKeeper::current()->next_scenario();
  return find_property("equivalence").check(scenario, subject, {}).failure.has_value();
}

// Fails if `subject` remembers, in the one step of `scenario`, what `before` left in its instance.
void expect_forgotten(const Scenario& before, const Scenario& scenario, const Subject& subject) {
  const InstanceKeeper keeper;
  fails(before, subject);
  const std::uint64_t reused = keeper.reused();
  EXPECT_FALSE(fails(scenario, subject)) << subject.name();
  EXPECT_GT(keeper.reused(), reused) << subject.name() << ": not in the same instance";
}

// In these a step finds nothing to remember, unless it is of the scenario before: that had other
// lengths, values and pages, one step like this one, two whose second has a higher number, or a
// step of as many rows and then one of more.
TEST(MutantMemory, EndsWithTheScenario) {
  Scenario longer = of_one_step(2, 7);
  longer.problem.decode_steps = 2;
  Scenario late = of_one_step(3, 9);
  late.problem.ctx_len = {3, 3};
  late.script = {
      {StepKind::join, {0}, {}}, {StepKind::join, {1}, {}}, {StepKind::decode, {0}, {1}}};
  Scenario three = of_one_step(4, 10), grown = of_one_step(3, 11);
  three.problem.ctx_len = {4, 4, 4};
  grown.problem.ctx_len = {3, 3, 3};
  grown.script = {{StepKind::join, {0, 1, 2}, {}},
                  {StepKind::decode, {0, 1, 2}, {1, 1, 1}},
                  {StepKind::decode, {0, 1, 2}, {2, 1, 1}}};
  for (const Mutant& mutant : mutants()) {
    if (mutant.memory() != HXC_HOST) continue;
    if (mutant.mutant_class != MutantClass::stale_state) continue;
    const Subject subject(cpu::subject(), mutant.subject);
    expect_forgotten(of_one_step(2, 1), of_one_step(3, 2), subject);
    expect_forgotten(of_one_step(3, 2), late, subject);
    expect_forgotten(longer, of_one_step(5, 3), subject);
    expect_forgotten(grown, three, subject);
  }
}

}  // namespace
}  // namespace helixcheck
