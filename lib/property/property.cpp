// The table of properties.

#include "property/property.hpp"

#include <array>
#include <fmt/format.h>

#include "scenario/error.hpp"

namespace helixcheck {
namespace {

bool always(const Scenario&, const Subject&) {
  return true;
}

PropertyResult check_equivalence(const Scenario& scenario, const Subject& subject,
                                 const RunOptions& options) {
  const std::unique_ptr<World> world = make_sim_world(scenario);
  return equivalence_result(run_scenario(scenario, *world, subject, options));
}

constexpr std::array kProperties{
    Property{"equivalence", "every tap is within its bound of the fp64 reference", 4, always,
             check_equivalence},
};

}  // namespace

PropertyResult equivalence_result(const RunResult& run) {
  PropertyResult result;
  result.subject_runs = run.repeated ? 2 : 1;
  result.output_hash = run.output_hash;
  result.taps = run.verdict.taps;
  if (run.verdict.pass) return result;
  const Blame blame = run.verdict.blame.value_or(Blame{});
  const char* kind = !run.same_again ? "nondeterminism" : blame.tap ? "value" : "error";
  result.failure = Failure{kind, blame};
  return result;
}

std::string_view name_of(Strength strength) {
  switch (strength) {
    case Strength::bits: return "bits";
    case Strength::bound: return "bound";
    case Strength::none: return "none";
  }
  return "unknown";
}

std::span<const Property> properties() {
  return kProperties;
}

const Property& find_property(std::string_view name) {
  std::string known;
  for (const Property& property : kProperties) {
    if (property.name == name) return property;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", property.name);
  }
  throw InputError(fmt::format("there is no property '{}'; there are {}", name, known));
}

}  // namespace helixcheck
