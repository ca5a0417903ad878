// What a failed null test adds to its blame: the key whose pattern the wrong values are.

#pragma once

#include <string>

#include "verdict/judge_state.hpp"

namespace helixcheck {

// Half a sentence, or "" where the family is another one, the blamed tap holds no values of
// attention, or no key fits. May read every key of the request.
std::string explain_null_failure(const JudgeState& state, const StepView& step, const Blame& blame);

}  // namespace helixcheck
