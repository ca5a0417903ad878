// NaN misses. At `layer` each rank holds the whole result and is counted alone; at `core` and
// `merge` the ranks' heads together are one result.

#include "verdict/mismatch.hpp"

#include <algorithm>
#include <cmath>

#include "mla/formats.hpp"
#include "verdict/final_values.hpp"

namespace helixcheck {

void MismatchRule::judge(JudgeState& state, const StepView& step, const StepResult& reference) {
  const Run& run = state.scenario.run;
  const Entry entry = state.problem.entry;
  const std::size_t groups =
      entry == Entry::layer ? static_cast<std::size_t>(state.geometry.ranks) : 1;
  std::vector<double> misses(groups), values(groups);
  for (const FinalValues& shown : final_values(state, step)) {
    const std::size_t group =
        entry == Entry::layer ? static_cast<std::size_t>(shown.place.rank) : 0;
    const std::span<double> got = sized(state.scratch.got, shown.count);
    decode_to(shown.codes.dtype, shown.codes.data, got);
    const std::span<const double> want =
        final_result(entry, reference)
            .subspan(static_cast<std::size_t>(shown.offset), static_cast<std::size_t>(shown.count));
    for (std::size_t i = 0; i < got.size(); ++i) {
      const double error = std::abs(got[i] - want[i]);
      misses[group] += !(error < run.atol + run.rtol * std::abs(want[i]));
      if (std::isfinite(error)) worst_.max_abs_error = std::max(worst_.max_abs_error, error);
    }
    values[group] += static_cast<double>(shown.count);
  }
  for (std::size_t group = 0; group < groups; ++group) {
    if (values[group] > 0) worst_.ratio = std::max(worst_.ratio, misses[group] / values[group]);
  }
}

Mismatch MismatchRule::result(const Run& run) const {
  Mismatch result = worst_;
  result.pass = result.ratio <= run.max_mismatch_ratio;
  return result;
}

}  // namespace helixcheck
