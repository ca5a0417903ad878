#include "shrink/shrinker.hpp"

#include "scenario/validate.hpp"
#include "shrink/moves.hpp"

namespace helixcheck {

ShrinkResult shrink(const Scenario& failing, const Signature& signature,
                    const FailingWith& fails_with, const ShrinkLimits& limits) {
  validate(failing);
  Search search(failing, signature, fails_with, limits);
  const std::span<const Move> table = moves();
  // A round of all moves without progress ends the search; a move that has just failed is not
  // asked again before something else has changed the scenario.
  std::size_t next = 0, without_progress = 0;
  while (without_progress < table.size() && !search.stopped()) {
    const Move& move = table[next];
    if (!move.apply(search)) {
      ++without_progress;
      next = (next + 1) % table.size();
      continue;
    }
    without_progress = 0;
    next = move.dear ? 0 : (next + 1) % table.size();
  }
  return {search.current(), search.evaluations(), search.seconds(), !search.stopped(),
          search.stopped_by()};
}

}  // namespace helixcheck
