// The parts the table of features is put together from.

#pragma once

#include <span>

#include "generate/features.hpp"

namespace helixcheck::feature_groups {

std::span<const Feature> world();    // entry, ranks, heads
std::span<const Feature> model();    // dimensions, formats, RoPE
std::span<const Feature> layout();   // ownership, pages, memory, observation
std::span<const Feature> data();     // value families, heavy keys, gains
std::span<const Feature> history();  // batch, lengths, steps and scripts

}  // namespace helixcheck::feature_groups
