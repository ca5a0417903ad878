// Judging the merged results of a `core` run that shows nothing else: its inputs are given, so that
// what attend received is known without being shown.

#pragma once

#include "verdict/judge_state.hpp"
#include "verdict/step_view.hpp"

namespace helixcheck {

// Judges `combined` and `combined_lse` of a step by the composed bound. False, and nothing judged,
// where that is not possible: another entry, codes that depend on how a scale was rounded, or a
// bound that says nothing.
bool judge_hidden_span(JudgeState& state, const StepView& step);

}  // namespace helixcheck
