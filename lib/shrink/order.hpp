// What "simpler" means: a total preorder of scenarios in which every descent is finite.
//
// Scenarios are compared lexicographically by
//   1. the entry: merge, core, layer;
//   2. the script: its steps, the requests and tokens it lists, then its kinds, then its ids;
//   3. the batch;
//   4. the number of heavy keys;
//   5. the rank of every cell (cells.hpp): decode steps and tokens first, then the ranks of the
//      world, then the others in the order of the field table, then prompts, then positions and
//      page ids, the seed last.
// Each component is a natural number, and the number of components is fixed by those before them,
// so there is no infinite strictly descending chain: a shrinker that takes strictly simpler
// candidates only comes to an end, whatever the predicate. Most moves lower ranks and raise none;
// the order allows the exceptions that are worth it: a script of seven steps replaced by
// `decode_steps: 3`, one request less with a prompt one token longer.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scenario/scenario.hpp"

namespace helixcheck {

// The components, to be compared with <.
std::vector<std::uint64_t> complexity(Scenario scenario);

// Equal for scenarios of equal content, name and labels left out, and for no others.
std::string identity(Scenario scenario);

}  // namespace helixcheck
