// Scenarios as bytes that may be changed anywhere: every byte string decodes to a valid scenario,
// and a change of few bytes is a change of few decisions.
//
// A genome has one lane for each feature: a byte that chooses its level, among those that go with
// the levels before it, and bytes that are consumed by the choices within the level. A lane that
// runs dry goes on with a stream of numbers made from its bytes, so that lanes never shift.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "generate/choices.hpp"
#include "generate/scenario_draw.hpp"

namespace helixcheck {

inline constexpr std::size_t kLaneBytes = 12;  // of values

struct Lane {
  std::uint8_t level = 0;
  std::array<std::uint8_t, kLaneBytes> values{};
  friend bool operator==(const Lane&, const Lane&) = default;
};

struct Genome {
  std::uint8_t size = 0;      // of the case: mostly small, for large values a long context
  std::uint8_t property = 0;  // callers choose a property by it, modulo those that apply
  std::vector<Lane> lanes;    // one a feature
  friend bool operator==(const Genome&, const Genome&) = default;
};

// Missing bytes count as 0, further ones are ignored. to_bytes(genome_of(b)) == b for a b of
// genome_bytes() bytes.
std::size_t genome_bytes();
Genome genome_of(std::span<const std::uint8_t> bytes);
std::vector<std::uint8_t> to_bytes(const Genome& genome);

// Never throws; what would be too large is made smaller. Deterministic.
DrawnScenario decode(const Genome& genome);

// Levels drawn as a series draws them (weights, swarm), values at random.
Genome draw_genome(Choices& choices);
// A few decisions changed: other levels, other values within a level, neighbouring values.
void mutate(Genome& genome, Choices& choices);
// Each lane from one parent or the other.
Genome cross(const Genome& a, const Genome& b, Choices& choices);

}  // namespace helixcheck
