// The check of last resort, for runs that hide what their final values were made from: the final
// values against the reference, within a multiple of the rounding noise that an ensemble of
// randomly rounded references shows. Statistical, and less sharp than any stage-local check.

#pragma once

#include <deque>
#include <optional>

#include "mla/composed.hpp"
#include "verdict/judge_state.hpp"

namespace helixcheck {

class EndToEnd {
 public:
  explicit EndToEnd(const Inputs& inputs);

  // The un-rounded reference of a step.
  const StepResult& exact(const StepView& step);

  // Judges the final values of a step and its merged LSEs. False if the scenario is too large.
  bool judge(JudgeState& state, const StepView& step);

 private:
  void judge_lse(JudgeState& state, const StepView& step, const std::vector<StepResult>& noisy,
                 double share);
  bool affordable(const StepView& step) const;
  void make_ensemble();

  const Inputs& inputs_;
  std::optional<Composed> reference_;  // made when first asked for
  std::deque<Composed> ensemble_;
  StepResult exact_;
  std::int64_t exact_step_ = -1;
};

// x rounded to one of its two neighbours in `dtype`, to the upper one with the probability that
// makes the mean x. `draw` is uniform in [0, 1).
double round_randomly(Dtype dtype, double x, double draw);

}  // namespace helixcheck
