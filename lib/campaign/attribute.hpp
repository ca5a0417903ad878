// One fault, one finding: which property tells most about a failure.

#pragma once

#include "campaign/confirm.hpp"

namespace helixcheck {

// A failure of a relation, or of a run that shows only its end, as a failure of the equivalence
// with every tap shown, wherever it is one too: that names the stage, and all the properties that
// one fault breaks share a signature. Otherwise as it is.
FailedCase attributed(FailedCase failed, const RunCase& run_case);

}  // namespace helixcheck
