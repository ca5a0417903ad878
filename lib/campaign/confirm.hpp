// From a failing case to a finding: is it real, what does it need, how small can it be.

#pragma once

#include <vector>

#include "campaign/case_source.hpp"
#include "campaign/check.hpp"

namespace helixcheck {

struct FailedCase {
  Case at;
  Failure failure;
  Signature signature;
};

// Repeats the failure alone, in a fresh process if there is one, and after the cases before it;
// shrinks and explains what repeats. What does not becomes a finding of kind "nondeterminism".
Finding make_finding(const FailedCase& failed, const CaseSource& source, const Subject& subject,
                     const CheckOptions& options);

}  // namespace helixcheck
