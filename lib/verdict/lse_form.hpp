// The three ways the statistics of a partial softmax are written, brought to a natural-log LSE.

#pragma once

#include <cstdint>

#include "scenario/scenario.hpp"

namespace helixcheck {

// `statistics`: one LSE, or (max, sum). (-inf, 0) gives -inf; a sum that contradicts its maximum
// NaN.
double natural_lse(LseForm form, const float* statistics);

}  // namespace helixcheck
