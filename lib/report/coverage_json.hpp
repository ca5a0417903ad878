// How close values came to their bounds, and which features met, as JSON.

#pragma once

#include <vector>

#include "report/exact_json.hpp"
#include "store/records.hpp"

namespace helixcheck {

// [{tap, stage, worst_ratio, cases [[log2, n], ...]}], in the order of the pipeline.
Json taps_json(const std::vector<TapRecord>& taps);

// {features [{name, first, levels [names]}], possible, drawn, pairs [[a, b, n], ...] (a <= b, once
// with itself for a level), never [[a, b], ...] (possible, but not drawn), impossible [[a, b, r],
// ...], reasons [r: sentence]}; a and b count levels over all features, from 0. Levels this build
// does not know come last, as features of their own.
Json coverage_json(const std::vector<PairRecord>& pairs);

}  // namespace helixcheck
