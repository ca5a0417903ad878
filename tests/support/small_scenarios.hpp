// Small valid scenarios drawn at random, a plain loop's worth of variety.

#pragma once

#include <cstdint>

#include "scenario/scenario.hpp"

namespace helixcheck {

// Number `index` of a series; depends on (seed, index) alone. Sizes, ranks, ownership, layouts, LSE
// forms, formats, data families, scripts and all three entries vary.
Scenario draw_small_scenario(std::uint64_t seed, std::uint64_t index);

// The case of the throughput benchmark: batch 1 to 2, context log-uniform up to 256, up to 8 heads,
// latent 32, rope 16, 2 to 4 ranks, bf16.
Scenario draw_benchmark_scenario(std::uint64_t seed, std::uint64_t index, Entry entry);

}  // namespace helixcheck
