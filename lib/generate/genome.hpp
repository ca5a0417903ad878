// Scenarios as bytes that may be changed anywhere: every byte string decodes to a valid scenario,
// and a change of few bytes is a change of few decisions.
//
// A genome has one lane for each feature: a byte that chooses its level, among those that go with
// the levels before it, and bytes that are consumed by the choices within the level. A lane that
// runs dry goes on with a stream of numbers made from its last bytes, so that lanes never shift.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "generate/choices.hpp"
#include "generate/compatibility.hpp"
#include "generate/scenario_draw.hpp"

namespace helixcheck {

inline constexpr std::size_t kLaneBytes = 12;  // of values
inline constexpr std::size_t kTailBytes = 2;   // the last of them: they make up what follows

// The size byte: smaller ones are small cases.
inline constexpr std::uint8_t kLongContextByte = 240, kMediumByte = 252;

struct Lane {
  std::uint8_t level = 0;  // the level itself where it is allowed, else one of those that are
  std::array<std::uint8_t, kLaneBytes> values{};
  friend bool operator==(const Lane&, const Lane&) = default;
};

struct Genome {
  std::uint8_t size = 0;  // small, from kLongContextByte a long context, from kMediumByte medium
  std::uint8_t property = 0;  // callers choose a property by it, modulo those that apply
  std::vector<Lane> lanes;    // one a feature; missing ones count as 0
  friend bool operator==(const Genome&, const Genome&) = default;
};

// Missing bytes count as 0, further ones are ignored. to_bytes(genome_of(b)) == b for a b of
// genome_bytes() bytes.
std::size_t genome_bytes();
Genome genome_of(std::span<const std::uint8_t> bytes);
std::vector<std::uint8_t> to_bytes(const Genome& genome);

// Never throws. What forecasts more than kMostDecoded_s or needs more than kMostMemory_bytes is
// made plainer feature by feature; the selection says what is left. Bytes of 0 are the plainest
// scenario.
inline constexpr double kMostDecoded_s = 10e-3;
DrawnScenario decode(const Genome& genome);

// The levels it asks for, and the size: what `decode` gives unless that is too large. Cheap.
Selection levels_of(const Genome& genome);
Size size_of(const Genome& genome);

// With these levels, and values at random. Full cases become medium ones.
Genome genome_from(const Selection& selection, Size size, Choices& choices);

// Levels drawn as a series draws them (weights, cost, a swarm of its own), values at random.
Genome draw_genome(Choices& choices);

// The same with only levels of `on`, for callers whose swarm lives longer (plain levels must be
// on), and what it decodes to.
struct DrawnGenome {
  Genome genome;
  DrawnScenario drawn;
};
DrawnGenome draw_genome(Choices& choices, const LevelSet& on);

// One to a few decisions changed: other levels, other values within a level, neighbouring values,
// a lane made plain; rarely a whole group of features.
void mutate(Genome& genome, Choices& choices);
// Each lane from one parent or the other: at random, or a run of neighbouring ones from the second.
Genome cross(const Genome& a, const Genome& b, Choices& choices);

}  // namespace helixcheck
