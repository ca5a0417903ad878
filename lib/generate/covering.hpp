// Pairwise covering array: few selections in which every possible pair of levels occurs.

#pragma once

#include <cstdint>
#include <vector>

#include "generate/features.hpp"

namespace helixcheck {

// Deterministic in the seed. Greedy, some 10 ms: each row starts from a pair not yet covered and
// takes, feature by feature in random order, the level that covers most further ones.
std::vector<Selection> covering_array(std::uint64_t seed);

}  // namespace helixcheck
