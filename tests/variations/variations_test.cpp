// Clean random variations: the built-in subject is right, so nothing may be rejected. One false
// alarm here is one too many.

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>

#include "run/run.hpp"
#include "report/terminal.hpp"
#include "scenario/validate.hpp"
#include "subject/cpu/subject.hpp"
#include "support/small_scenarios.hpp"

namespace helixcheck {
namespace {

// HELIXCHECK_VARIATIONS: how many; HELIXCHECK_SEED: which series.
std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(Variations, NoneIsRejected) {
  const std::uint64_t count = from_environment("HELIXCHECK_VARIATIONS", 3000);
  const std::uint64_t seed = from_environment("HELIXCHECK_SEED", 1);
  const Subject plain(cpu::subject()), rounded(cpu::subject_p16());
  std::map<Tap, double> worst;
  for (std::uint64_t i = 0; i < count; ++i) {
    const Scenario scenario = draw_small_scenario(seed, i);
    validate(scenario);
    const bool merge = scenario.problem.entry == Entry::merge;
    const std::unique_ptr<World> world =
        make_sim_world(merge ? 1 : static_cast<int>(scenario.layout.kvp),
                       merge ? 1 : static_cast<int>(scenario.layout.tpa));
    const RunResult result = run_scenario(scenario, *world, i % 4 == 0 ? rounded : plain);
    ASSERT_TRUE(result.verdict.pass) << "variation " << i << "\n" << describe(result);
    for (const TapResult& tap : result.verdict.taps) {
      worst[tap.tap] = std::max(worst[tap.tap], tap.worst_ratio);
    }
  }
  fmt::print("{} variations, worst ratio by tap:", count);
  for (const auto& [tap, ratio] : worst) {
    EXPECT_LE(ratio, 1.0) << name_of(tap);
    fmt::print(" {} {:.3g}", name_of(tap), ratio);
  }
  fmt::print("\n");
}

}  // namespace
}  // namespace helixcheck
