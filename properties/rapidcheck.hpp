// RapidCheck put to this project's use: scenarios from its random source, shrunk by the scenario
// shrinker, failures told in this project's words. The tests see no RapidCheck type.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "scenario/scenario.hpp"
#include "subject/subject.hpp"

namespace helixcheck {

struct PropertyRun {
  bool passed = true;
  int cases = 0;       // scenarios the property was checked on
  std::string report;  // of a failure: what broke, the scenario, how to run it again
};

// Where the random scenarios of a test come from.
struct Domain {
  std::string_view label;                       // part of the seed
  void (*adapt)(Scenario& scenario) = nullptr;  // restricts what is drawn; may be null
};

// Checks the property `name` on `cases` scenarios it applies to. The seed is a function of the name
// and the domain, since RapidCheck would start every property from the same one.
PropertyRun run_property(std::string_view name, const Subject& subject, const Domain& domain,
                         int cases);

// The same for both built-in subjects, half of the cases each, as a GoogleTest expectation. The
// environment variable HELIXCHECK_PROPERTY_CASES replaces `cases`.
void check_property(std::string_view name, const Domain& domain = {}, int cases = 300);

}  // namespace helixcheck
