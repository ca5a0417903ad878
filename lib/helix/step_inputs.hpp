// What the case gives to a step, laid out in the ranks' host buffers.

#pragma once

#include <span>

#include "helix/rank_state.hpp"
#include "mla/inputs.hpp"

namespace helixcheck {

// `layer`: hidden states; `core`: queries of the rank's heads and the new latent rows. Padding rows
// keep their poison. Made once, copied to the other ranks of this process.
void fill_step_inputs(const Inputs& inputs, RankStates& ranks, std::span<const Row> rows);

// `merge`: given partials, with their statistics in the scenario's form.
void fill_merge_inputs(const Inputs& inputs, const RankState& rank);

}  // namespace helixcheck
