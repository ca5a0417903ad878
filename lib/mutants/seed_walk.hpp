// One series of cases, met by the correct subject and by all mutants that still live.
//
// Each of them is searched for as `check` searches: the same scenarios, its own choice of property,
// until the first failure. Scenario and inputs are made once for all.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "campaign/confirm.hpp"
#include "subject/subject.hpp"

namespace helixcheck {

struct WalkResult {
  bool killed = false;
  std::uint64_t cases = 0;  // met, the failing one included
  double seconds = 0;       // of this subject alone: scenarios and inputs count fully for each
  std::optional<FailedCase> failed{};  // attributed as `check` does
  std::string broken{};                // what ended its walk without a verdict; "" = nothing
};

struct WalkTimes {  // seconds
  double drawing = 0, inputs = 0, running = 0;
};

struct Walk {
  std::uint64_t seed = 1;
  std::vector<WalkResult> results;  // of the subjects, in order
  WalkTimes times;
};

struct WalkOptions {
  std::uint64_t cases = 5000;
  std::function<bool()> interrupted{};
};

// In the calling thread. Ends early if no subject lives any more.
Walk walk_series(std::uint64_t seed, std::span<const Subject* const> subjects,
                 const WalkOptions& options);

}  // namespace helixcheck
