// The fixed-scenario test's criterion: of the final values, the share that misses atol + rtol
// |ref|. For comparison with that test; it sees far less than the bounds do.

#pragma once

#include "mla/reference.hpp"
#include "verdict/judge_state.hpp"

namespace helixcheck {

class MismatchRule {
 public:
  // Books one step. The worst share over steps and, at `layer`, ranks decides.
  void judge(JudgeState& state, const StepView& step, const StepResult& reference);
  Mismatch result(const Run& run) const;

 private:
  Mismatch worst_;
};

}  // namespace helixcheck
