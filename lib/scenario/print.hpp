// Scenarios as C++ code and as a command line: the two forms a failure report offers for replay.

#pragma once

#include <string>
#include <vector>

#include "scenario/scenario.hpp"

namespace helixcheck {

// C++20 statements that build the scenario from a default-constructed one: "Scenario s;\n..."
std::string print_cpp(const Scenario& scenario);

// Arguments for `helixcheck run` that build the scenario, only fields that differ from the default.
// Feeding them to the command's parser gives the same scenario back. Script steps and heavy keys
// are written as compact text: --step decode:0,1:1,4   --heavy newest:3:1:0.5
// (place:head:rank:mass)
std::vector<std::string> print_arguments(const Scenario& scenario);

// Applies one such option to a scenario ("ctx-len", "8192"). The inverse of print_arguments, used
// by the command. Throws InputError naming option, value and rule.
void apply_argument(Scenario& scenario, const std::string& option, const std::string& value);

// Every option apply_argument knows, with one line of help, in the order of the help screen.
struct ArgumentHelp {
  std::string option;
  std::string help;
};
const std::vector<ArgumentHelp>& scenario_arguments();

}  // namespace helixcheck
