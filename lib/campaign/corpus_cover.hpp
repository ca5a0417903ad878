// A small set of passing scenarios that shows what a large one shows: which of them to keep in
// corpus/coverage.

#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "scenario/scenario.hpp"
#include "verdict/verdict.hpp"

namespace helixcheck {

// What a passing scenario shows: each field's value at its entry (numbers by their power of two),
// and for each tap the power of two of its worst error / bound.
using Shown = std::set<std::string>;
Shown shown_by(const Scenario& scenario, const std::vector<TapResult>& taps);

struct CoverCandidate {
  Shown shown;
  double cost = 0;  // seconds; of two that show as much, the cheaper one is kept
};

// Indices of a small set that shows, together with `already`, all that the candidates show; in
// ascending order. Greedy: the most that is new for its cost comes first.
std::vector<std::size_t> cover(const std::vector<CoverCandidate>& candidates,
                               const Shown& already = {});

}  // namespace helixcheck
