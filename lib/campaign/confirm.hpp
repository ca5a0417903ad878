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

// The failure as it was seen, neither confirmed nor shrunk.
Finding finding_as_seen(const FailedCase& failed);

// Repeats the failure alone, in a fresh process if there is one, and after the cases before it;
// shrinks and explains what repeats. What does not becomes a finding of kind "nondeterminism".
// Never throws for what goes wrong on the way: then the finding says why it is unconfirmed.
Finding make_finding(const FailedCase& failed, const CaseSource& source, const Subject& subject,
                     const CheckOptions& options);

}  // namespace helixcheck
