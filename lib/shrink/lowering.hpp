// One field set to another value, and what the rules of validation tie to it set along.

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "shrink/cells.hpp"

namespace helixcheck {

// The scenario with that one cell (by index in cells()) at `rank`, nothing else touched; nullopt if
// no value has the rank.
std::optional<Scenario> with_rank(const Scenario& scenario, std::size_t cell, std::uint64_t rank);

// The same with what is tied to the cell moved along: heads stay a multiple of the ranks, heavy
// keys stay on heads and ranks that exist, the cache follows the dtype, `continued` needs
// `interleaved`. Where ranks are lowered, first with the heads per rank kept, then with the heads
// kept.
std::vector<Scenario> lowered(const Scenario& scenario, std::size_t cell, std::uint64_t rank);

// Moves what is tied along after several cells were set.
void tie_together(Scenario& scenario);

// Numbers below `number` that come nearer by halves: 0, n/2, 3n/4, ..., n-1.
std::vector<std::uint64_t> ladder(std::uint64_t number);

}  // namespace helixcheck
