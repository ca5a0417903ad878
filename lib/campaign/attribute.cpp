// Tried on the scenario and, for relations, on the variation that disagreed with it.

#include "campaign/attribute.hpp"

namespace helixcheck {
namespace {

std::optional<FailedCase> as_equivalence(const FailedCase& failed, Scenario scenario,
                                         const RunCase& run_case) {
  const Property& equivalence = find_property("equivalence");
  scenario.run.observe = Observe::all;
  if (failed.at.property == &equivalence && scenario == failed.at.drawn.scenario) {
    return std::nullopt;  // that is what failed
  }
  std::optional<Observation> seen = run_case(scenario, equivalence, true);
  if (!seen) return std::nullopt;
  FailedCase other{failed.at, std::move(seen->failure), std::move(seen->signature)};
  other.at.drawn.scenario = std::move(scenario);
  other.at.property = &equivalence;
  return other;
}

}  // namespace

FailedCase attributed(FailedCase failed, const RunCase& run_case) {
  if (auto other = as_equivalence(failed, failed.at.drawn.scenario, run_case)) {
    return *std::move(other);
  }
  if (!failed.failure.varied) return failed;
  if (auto other = as_equivalence(failed, *failed.failure.varied, run_case)) {
    return *std::move(other);
  }
  return failed;
}

}  // namespace helixcheck
