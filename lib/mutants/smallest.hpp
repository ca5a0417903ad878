// The known smallest scenario of a mutant, written out.

#pragma once

#include "scenario/scenario.hpp"
#include "subject/mutants/mutants.hpp"

namespace helixcheck {

// The simplest valid scenario (shrink/order.hpp) with the fields that the registry names. Without
// `entry`, the simplest entry that runs the mutant's stage. Throws InputError if there is none.
Scenario smallest_scenario(const Mutant& mutant);

// Whether `a` is as simple as `b`, or simpler. The seed is left out: it says which values are
// drawn, not how many.
bool as_small(Scenario a, Scenario b);

}  // namespace helixcheck
