// What the bytes of a scenario target stand for: a scenario, and the property it is checked under.

#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "generate/genome.hpp"
#include "property/property.hpp"

namespace helixcheck {

struct ScenarioCase {
  DrawnScenario drawn;
  const Property* property = nullptr;  // mostly the equivalence, which applies to everything
};

ScenarioCase case_of(std::span<const std::uint8_t> bytes, const Subject& subject);

// $HELIXCHECK_SUBJECT, by default cpu.
std::string subject_argument();

// The scenario as JSON and the command that repeats the case, for people.
std::string describe(const ScenarioCase& one);

}  // namespace helixcheck
