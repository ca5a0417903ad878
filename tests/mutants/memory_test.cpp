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

// In these a step finds nothing to remember, unless it is of the scenario before: that had other
// lengths, values and pages, one step like this one, or two whose second has a higher number.
TEST(MutantMemory, EndsWithTheScenario) {
  Scenario longer = of_one_step(2, 7);
  longer.problem.decode_steps = 2;
  Scenario late = of_one_step(3, 9);
  late.problem.ctx_len = {3, 3};
  late.script = {
      {StepKind::join, {0}, {}}, {StepKind::join, {1}, {}}, {StepKind::decode, {0}, {1}}};
  for (const Mutant& mutant : mutants()) {
    if (mutant.mutant_class != MutantClass::stale_state) continue;
    const Subject subject(cpu::subject(), mutant.subject);
    const InstanceKeeper keeper;
    EXPECT_FALSE(fails(of_one_step(2, 1), subject)) << mutant.id;
    EXPECT_FALSE(fails(of_one_step(3, 2), subject)) << mutant.id;
    EXPECT_FALSE(fails(late, subject)) << mutant.id;
    fails(longer, subject);
    EXPECT_FALSE(fails(of_one_step(3, 3), subject)) << mutant.id;
    EXPECT_GT(keeper.reused(), 0u) << mutant.id;
  }
}

}  // namespace
}  // namespace helixcheck
