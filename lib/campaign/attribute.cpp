// Tried on the scenario and, for relations, on the variation that disagreed with it.

#include "campaign/attribute.hpp"

#include "mla/parallel.hpp"
#include "scenario/error.hpp"

namespace helixcheck {
namespace {

std::optional<FailedCase> as_equivalence(const FailedCase& failed, Scenario scenario,
                                         const Subject& subject, const RunOptions& options) {
  const Property& equivalence = find_property("equivalence");
  scenario.run.observe = Observe::all;
  if (failed.at.property == &equivalence && scenario == failed.at.drawn.scenario) {
    return std::nullopt;  // that is what failed
  }
  try {
    const ThreadLimit one(1);
    PropertyResult result = equivalence.check(scenario, subject, options);
    const auto signature = signature_of(equivalence, subject, result);
    if (!signature) return std::nullopt;
    FailedCase other{failed.at, *std::move(result.failure), *signature};
    other.at.drawn.scenario = std::move(scenario);
    other.at.property = &equivalence;
    return other;
  } catch (const InputError&) {
    return std::nullopt;
  }
}

}  // namespace

FailedCase attributed(FailedCase failed, const Subject& subject, const RunOptions& options) {
  if (auto other = as_equivalence(failed, failed.at.drawn.scenario, subject, options)) {
    return *std::move(other);
  }
  if (!failed.failure.varied) return failed;
  if (auto other = as_equivalence(failed, *failed.failure.varied, subject, options)) {
    return *std::move(other);
  }
  return failed;
}

}  // namespace helixcheck
