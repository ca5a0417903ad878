// The values a case ends in, whatever was shown on the way: `output` at `layer`, `combined` at
// `core` and `merge`, as stretches that line up with the reference's result.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mla/reference.hpp"
#include "verdict/judge_state.hpp"

namespace helixcheck {

struct FinalValues {
  Place place;              // of the first element
  Codes codes;              // `count` of them
  std::int64_t count = 0;   // D or R
  std::int64_t offset = 0;  // of the first one in the reference's result
};

Tap final_tap(Entry entry);

// The final values of every rank that shows them, padding rows left out.
std::vector<FinalValues> final_values(const JudgeState& state, const StepView& step);

// The part of a reference result that final values are held against.
std::span<const double> final_result(Entry entry, const StepResult& result);

}  // namespace helixcheck
