// At `core` each rank ends with its own heads; at `layer` every rank ends with the whole row.

#include "verdict/final_values.hpp"

namespace helixcheck {

Tap final_tap(Entry entry) {
  return entry == Entry::layer ? Tap::output : Tap::combined;
}

std::vector<FinalValues> final_values(const JudgeState& state, const StepView& step) {
  const Geometry& g = state.geometry;
  const Entry entry = state.problem.entry;
  const bool layer = entry == Entry::layer;
  const std::int64_t heads = layer ? 1 : g.owned_heads;
  const std::int64_t count = layer ? g.hidden : g.latent;
  const std::int64_t rows = entry == Entry::merge ? step.rows() : step.real_rows();
  std::vector<FinalValues> all;
  for (std::int64_t rank = 0; rank < g.ranks; ++rank) {
    const TapView* tap = step.find(rank, final_tap(entry));
    if (tap == nullptr) continue;
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t h = 0; h < heads; ++h) {
        const std::int64_t head = layer ? 0 : g.first_owned(rank) + h;
        const std::int64_t lanes = layer ? 1 : g.heads;
        all.push_back({step.place(row, rank, layer ? -1 : head),
                       rows_of(*tap, count, row * heads + h), count, (row * lanes + head) * count});
      }
    }
  }
  return all;
}

std::span<const double> final_result(Entry entry, const StepResult& result) {
  return entry == Entry::layer ? result.output : result.combined;
}

}  // namespace helixcheck
