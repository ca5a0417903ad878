// The two halves of the registry: one to improve the search on, one to see what that is worth.

#pragma once

#include <string_view>

namespace helixcheck {

enum class Half { tuning, held_out };
std::string_view name_of(Half half);  // "tuning", "held-out"

// Fixed before anything was tuned: a hash of the id, seeded with kSplitSeed, decides. A mutant that
// is added later changes nobody's half.
inline constexpr unsigned kSplitSeed = 20261123;
Half half_of(std::string_view mutant_id);

}  // namespace helixcheck
