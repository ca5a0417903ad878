// The axes along which scenarios vary: one table of features, each with a few levels.
//
// A level is a class of values that code tends to treat alike ("page 1", "one request long");
// `apply` draws a value of that class. Pair coverage, swarm testing and statistics count levels.
// Level 0 of a feature is its plainest one and, unless that is an entry, goes with every level of
// every other. Later features may look at what earlier ones set.

#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "generate/choices.hpp"
#include "scenario/scenario.hpp"

namespace helixcheck {

// How much a case may cost. `small` runs in microseconds, with dimensions of a few elements;
// `long_context` has one request of up to some ten thousand tokens besides; `medium` and `full`
// have the widths of real models as well.
enum class Size { small, long_context, medium, full };
inline constexpr std::array kSizes{Size::small, Size::long_context, Size::medium, Size::full};
std::string_view name_of(Size size);
double budget_seconds(Size size);  // what its forecast should stay below, see generate/cost.hpp

// A scenario in the making.
struct Draft {
  Scenario scenario;
  Choices& choices;
  Size size = Size::small;
};

struct Level {
  std::string_view name;
  int weight = 1;  // relative to the feature's other levels, where levels are drawn
  void (*apply)(Draft& draft) = nullptr;
};

// Where a feature has a meaning: at other entries only its level 0 is drawn.
struct Feature {
  std::string_view name;
  bool at_merge, at_core, at_layer;
  std::span<const Level> levels;
  bool has_meaning_at(Entry entry) const {
    return entry == Entry::merge ? at_merge : entry == Entry::core ? at_core : at_layer;
  }
};

// In the order in which they are applied; the first is `entry`.
std::span<const Feature> features();

struct LevelChoice {
  std::size_t feature, level;
};

// One level for each feature.
using Selection = std::vector<std::uint8_t>;

// Levels in one row, for tables over all of them: feature f has those from first_level(f) on.
std::size_t level_count();
std::size_t first_level(std::size_t feature);
std::size_t feature_of(std::size_t level);
// "kvp 3".
std::string level_text(std::size_t level);

// The feature whose level decides about long contexts, and that level.
LevelChoice long_context();

// Applies all levels in order.
Scenario realise(const Selection& selection, Choices& choices, Size size);

}  // namespace helixcheck
