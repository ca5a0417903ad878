// Running scenarios in a process that has run nothing before.

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "campaign/observation.hpp"

namespace helixcheck {

struct FreshProcess {
  std::string command;                  // path of the helixcheck executable
  std::vector<std::string> arguments;   // subject and contract options
  double limit_s = 120;                 // then it is killed
  std::function<bool()> interrupted{};  // asked while waiting; empty: never
};

// Each call starts `command replay FILE --json` on a temporary file that holds the scenarios. A
// process that is killed, by a signal or at the limit, gives a signature of kind "crash" or "hang".
// Calls throw ResourceError if no process can be started, if it ends with neither a pass nor a
// report of a failure, or if `interrupted` says so.
FreshRun fresh_runs(FreshProcess process);

}  // namespace helixcheck
