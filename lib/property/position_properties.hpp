// Rotary positions: a score may depend on the difference of two positions, never on where they are.

#pragma once

#include "property/property.hpp"

namespace helixcheck {

// Entry layer with a computed prompt; given rows are not rotated.
bool rope_differences_applies(const Scenario& scenario, const Subject& subject);

// With all positions shifted, the dot product of the roped parts of every query with every key it
// sees is what it was, within the roundings of both.
PropertyResult check_rope_differences(const Scenario& scenario, const Subject& subject,
                                      const RunOptions& options);

}  // namespace helixcheck
