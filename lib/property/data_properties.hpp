// Properties of the case itself, which no subject runs in: that its values are what they are meant
// to be. A failure is a fault of the generator.

#pragma once

#include "property/property.hpp"

namespace helixcheck {

// heavy_mass: every planted key has at least 0.3 of the softmax of its own head. `core`, keys with
// a wanted mass of 0.5 or more and no more of them than have room (heavy_keys.hpp), prompts up to
// 65,536 tokens (beyond that the other keys' weight is estimated when one is planted).
bool heavy_mass_applies(const Scenario& scenario, const Subject& subject);
PropertyResult check_heavy_mass(const Scenario& scenario, const Subject& subject,
                                const RunOptions& options);

}  // namespace helixcheck
