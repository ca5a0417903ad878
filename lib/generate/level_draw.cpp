// Plain levels go with all others, so that a draw never gets stuck.

#include "generate/level_draw.hpp"

#include <cassert>

namespace helixcheck {
namespace {

// One case in so many, so that each kind takes a twentieth to a tenth of the time.
constexpr std::uint64_t kLongOneIn = 150;
constexpr std::uint64_t kMediumOneIn = 1000;
constexpr std::uint64_t kFullOneIn = 100000;

constexpr double kUsual_s = 60e-6;  // of a small case

template <typename Weight>
std::uint8_t draw_by(std::size_t feature, const LevelSet& allowed, Choices& choices,
                     const Weight& weight) {
  const std::size_t count = features()[feature].levels.size(), first = first_level(feature);
  int sum = 0;
  for (std::size_t l = 0; l < count; ++l) sum += allowed[first + l] ? weight(l) : 0;
  auto drawn = static_cast<int>(choices.below(static_cast<std::uint64_t>(sum)));
  for (std::size_t l = 0;; ++l) {
    drawn -= allowed[first + l] ? weight(l) : 0;
    if (drawn < 0) return static_cast<std::uint8_t>(l);
  }
}

template <typename Draw>
Selection draw_each(LevelSet allowed, const Draw& draw) {
  Selection selection;
  selection.reserve(features().size());
  for (std::size_t feature = 0; feature < features().size(); ++feature) {
    selection.push_back(draw(feature, allowed));
    // Levels of features already drawn may go: nobody looks at them again.
    allowed &= Compatibility::get().with(first_level(feature) + selection.back());
  }
  return selection;
}

}  // namespace

Size draw_size(Choices& choices, bool with_full) {
  if (with_full && choices.one_in(kFullOneIn)) return Size::full;
  if (choices.one_in(kMediumOneIn)) return Size::medium;
  return choices.one_in(kLongOneIn) ? Size::long_context : Size::small;
}

LevelSet draw_swarm(Choices& choices) {
  LevelSet on;
  for (std::size_t level = 0; level < level_count(); ++level) {
    on[level] = level == first_level(feature_of(level)) || choices.below(2) == 1;
  }
  return on;
}

LevelSet levels_for(Size size, LevelSet allowed) {
  if (size == Size::small) return allowed;
  const LevelChoice context = long_context();
  const std::size_t level = first_level(context.feature) + context.level;
  allowed &= Compatibility::get().with(level);
  allowed[level] = true;
  return allowed;
}

std::uint8_t draw_level(std::size_t feature, const LevelSet& allowed, Choices& choices) {
  return draw_by(feature, allowed, choices,
                 [feature](std::size_t l) { return features()[feature].levels[l].weight; });
}

Selection draw_selection(LevelSet allowed, Choices& choices) {
  return draw_each(allowed, [&](std::size_t feature, const LevelSet& left) {
    return draw_level(feature, left, choices);
  });
}

Selection draw_selection(LevelSet allowed, std::span<const int> weights, Choices& choices) {
  assert(weights.size() == level_count());
  return draw_each(allowed, [&](std::size_t feature, const LevelSet& left) {
    const int* of_feature = weights.data() + first_level(feature);
    return draw_by(feature, left, choices, [of_feature](std::size_t l) { return of_feature[l]; });
  });
}

bool worth_its_cost(double cost_s, Size size, Choices& choices) {
  const double usual_s = size == Size::small ? kUsual_s : budget_seconds(size);
  if (cost_s <= usual_s) return true;
  constexpr double kParts = 1 << 20;
  return static_cast<double>(choices.below(1 << 20)) < kParts * usual_s / cost_s;
}

}  // namespace helixcheck
