// The rules of validation by concern, each returning the first one broken. Later groups rely on the
// ranges that check_fields has established.

#pragma once

#include <optional>
#include <string>

#include "scenario/scenario.hpp"

namespace helixcheck {

using Broken = std::optional<std::string>;

Broken check_fields(const Scenario& scenario);   // every field alone: range, enumerator, text
Broken check_problem(const Scenario& scenario);  // fields against each other
Broken check_layout(const Scenario& scenario);
Broken check_data(const Scenario& scenario);
Broken check_script(const Scenario& scenario);  // step by step

}  // namespace helixcheck
