// Searches and findings as text for people.

#pragma once

#include <string>

#include "campaign/check.hpp"
#include "campaign/finding.hpp"

namespace helixcheck {

// Cases, rate, coverage and worst ratios in a few lines, then each finding in full.
std::string describe(const CheckReport& report, const std::string& subject);

// One finding: signature, blame, what matters, the scenario as a file, as C++ and as a command.
std::string describe(const Finding& finding, const std::string& subject);

// A table: what each field must be for the failure to show.
std::string describe(const Explanation& explanation);

// The command that repeats it. `subject`: as on the command line.
std::string replay_command(const Finding& finding, const std::string& subject);

// How often each level of each feature was drawn, which pairs were not, and which cannot meet and
// why.
std::string describe_coverage(const Statistics& statistics);

}  // namespace helixcheck
