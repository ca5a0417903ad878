// The property byte: the lower three quarters are the equivalence, so that most cases are.

#include "scenario_case.hpp"

#include <cstdlib>
#include <fmt/format.h>
#include <vector>

#include "report/terminal.hpp"
#include "scenario/json.hpp"

namespace helixcheck {
namespace {

constexpr std::uint8_t kFirstOther = 192;

const Property* choose(std::uint8_t byte, const Scenario& scenario, const Subject& subject) {
  const std::span<const Property> all = properties();
  if (byte < kFirstOther) return &all.front();
  std::vector<const Property*> fitting;
  for (const Property& property : all) {
    if (property.applies(scenario, subject)) fitting.push_back(&property);
  }
  return fitting[static_cast<std::size_t>(byte - kFirstOther) % fitting.size()];
}

}  // namespace

ScenarioCase case_of(std::span<const std::uint8_t> bytes, const Subject& subject) {
  const Genome genome = genome_of(bytes);
  ScenarioCase result{decode(genome), nullptr};
  result.property = choose(genome.property, result.drawn.scenario, subject);
  return result;
}

std::string subject_argument() {
  const char* named = std::getenv("HELIXCHECK_SUBJECT");
  return named != nullptr && *named != '\0' ? named : "cpu";
}

std::string describe(const ScenarioCase& one) {
  RunResult run;
  run.scenario = one.drawn.scenario;
  run.argument = subject_argument();
  if (one.property->name != "equivalence") run.property = one.property->name;
  return fmt::format("{}\nreplay: {}\n", print_scenario(one.drawn.scenario), replay_command(run));
}

}  // namespace helixcheck
