// From a failing case to a finding: is it real, what does it need, how small can it be.

#pragma once

#include <vector>

#include "campaign/case_source.hpp"
#include "campaign/finding.hpp"
#include "campaign/observation.hpp"
#include "shrink/shrinker.hpp"

namespace helixcheck {

struct FailedCase {
  Case at;
  Failure failure;
  Signature signature;
};

// The failure as it was seen, neither confirmed nor shrunk.
Finding finding_as_seen(const FailedCase& failed);

struct ConfirmOptions {
  ShrinkLimits limits;
  FreshRun fresh;  // empty: everything happens where `run_case` runs
};

// Repeats the failure alone, in a fresh process if there is one, and after its predecessors, the
// scenarios that ran before it in the same process; shrinks and explains what repeats. What does
// not becomes a finding of kind "nondeterminism". Never throws for what goes wrong on the way: then
// the finding says why it is unconfirmed.
Finding make_finding(const FailedCase& failed, const std::vector<Scenario>& predecessors,
                     const RunCase& run_case, const ConfirmOptions& options);

// How many predecessors are worth keeping.
inline constexpr std::size_t kPredecessors = 24;

}  // namespace helixcheck
