// Levels by their weights, among those that go together, and which cases are worth what they cost:
// what the numbered series and the genomes share.

#pragma once

#include <cstdint>

#include "generate/choices.hpp"
#include "generate/compatibility.hpp"
#include "generate/features.hpp"

namespace helixcheck {

// No case needs more, so that a few threads can run side by side on any machine.
inline constexpr std::int64_t kMostMemory_bytes = std::int64_t{512} << 20;

// Mostly small, now and then a long context, rarely medium and, if asked for, full.
Size draw_size(Choices& choices, bool with_full);

// Half of the levels are switched off; plain ones never are, since they go with all others.
LevelSet draw_swarm(Choices& choices);

// Of `allowed`: for a larger size only levels that go with a long context, and that one itself.
LevelSet levels_for(Size size, LevelSet allowed);

// A level of the feature that is allowed; at least one must be.
std::uint8_t draw_level(std::size_t feature, const LevelSet& allowed, Choices& choices);

// In the table's order, each level among those that go with the ones before it.
Selection draw_selection(LevelSet allowed, Choices& choices);

// The same by other weights: one for each level of all features, those of a feature below 2^20 in
// sum.
Selection draw_selection(LevelSet allowed, std::span<const int> weights, Choices& choices);

// True for what a case of its size usually costs, and for a dearer one with the probability of the
// ratio: each doubling of the cost takes no more of the time than the one before.
bool worth_its_cost(double cost_s, Size size, Choices& choices);

}  // namespace helixcheck
