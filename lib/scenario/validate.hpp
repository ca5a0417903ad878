// Total validation: every scenario is either runnable or rejected with one sentence.

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "scenario/scenario.hpp"

namespace helixcheck {

// The first rule the scenario breaks, as one sentence naming field, value and rule; nullopt =
// valid.
std::optional<std::string> find_error(const Scenario& scenario);

// Throws InputError with that sentence.
void validate(const Scenario& scenario);

// Upper estimate of the bytes a run holds at once (caches, weights in each form, taps), all ranks
// of `sim` in one process. Requires a valid scenario. Saturates at INT64_MAX instead of
// overflowing.
std::int64_t memory_need_bytes(const Scenario& scenario);

// The same of a device on which `ranks_here` of the ranks run and the judge computes: weights,
// pools, step buffers, workspace, the fp64 reference.
std::int64_t device_memory_need_bytes(const Scenario& scenario, std::int64_t ranks_here);

}  // namespace helixcheck
