// The variations behind the table of relations, one function each: a scenario to the runs that must
// agree. Knobs that hide or delay things are set so that every run shows its taps.

#pragma once

#include <vector>

#include "property/relation.hpp"

namespace helixcheck::variations {

using Runs = std::vector<VariedRun>;

// Layout.
Runs ranks(const Scenario& scenario);
Runs tpa(const Scenario& scenario);
Runs ownership(const Scenario& scenario);
Runs page_size(const Scenario& scenario);
Runs page_order(const Scenario& scenario);
Runs cache_layout(const Scenario& scenario);
Runs padding_rows(const Scenario& scenario);
Runs poison(const Scenario& scenario);
Runs lse_form(const Scenario& scenario);

// Run and script.
Runs observation(const Scenario& scenario);
Runs repetition(const Scenario& scenario);
Runs instance_life(const Scenario& scenario);
Runs launch(const Scenario& scenario);
Runs request_order(const Scenario& scenario);
Runs split_steps(const Scenario& scenario);
Runs append_is_prompt(const Scenario& scenario);

// The scenario with its own run shown in full, without a change.
Runs unchanged(const Scenario& scenario);

}  // namespace helixcheck::variations
