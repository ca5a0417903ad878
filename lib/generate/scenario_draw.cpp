// Levels are drawn in the table's order, each among those that go with the ones before it.

#include "generate/scenario_draw.hpp"

#include <fmt/format.h>
#include <limits>
#include <stdexcept>

#include "generate/compatibility.hpp"
#include "generate/cost.hpp"
#include "generate/covering.hpp"
#include "scenario/validate.hpp"

namespace helixcheck {
namespace {

// Lanes of the seed's streams; the covering array has 2, attempts count from kFirstAttempt. Each
// has a swarm of its own: what a caller waits for may be switched off in the first one.
constexpr std::uint32_t kSwarmLane = 1;
constexpr std::uint32_t kFirstAttempt = 16;
constexpr std::uint32_t kFirstSwarm = 1 << 16;
constexpr std::uint64_t kSwarmBlock = 64;

// One case in so many, so that each kind takes a twentieth to a tenth of the time.
constexpr std::uint64_t kLongOneIn = 150;
constexpr std::uint64_t kMediumOneIn = 1000;
constexpr std::uint64_t kFullOneIn = 100000;

// A small case that costs more than this is kept with the probability of the ratio, so that each
// doubling of the cost takes no more of the time than the one before.
constexpr double kUsual_s = 60e-6;
constexpr int kRedraws = 12;

// No case needs more, so that a few threads can run side by side on any machine.
constexpr std::int64_t kMostMemory = std::int64_t{512} << 20;

Size draw_size(Choices& choices, bool with_full) {
  if (with_full && choices.one_in(kFullOneIn)) return Size::full;
  if (choices.one_in(kMediumOneIn)) return Size::medium;
  return choices.one_in(kLongOneIn) ? Size::long_context : Size::small;
}

// Half of the levels are switched off; plain ones never are, since they go with all others.
LevelSet draw_swarm(Choices& choices) {
  LevelSet on;
  for (std::size_t level = 0; level < level_count(); ++level) {
    on[level] = level == first_level(feature_of(level)) || choices.below(2) == 1;
  }
  return on;
}

std::uint8_t draw_level(std::size_t feature, const LevelSet& allowed, Choices& choices) {
  const std::span<const Level> levels = features()[feature].levels;
  const std::size_t first = first_level(feature);
  int sum = 0;
  for (std::size_t l = 0; l < levels.size(); ++l) sum += allowed[first + l] ? levels[l].weight : 0;
  auto drawn = static_cast<int>(choices.below(static_cast<std::uint64_t>(sum)));
  for (std::size_t l = 0;; ++l) {
    drawn -= allowed[first + l] ? levels[l].weight : 0;
    if (drawn < 0) return static_cast<std::uint8_t>(l);
  }
}

Selection draw_selection(LevelSet allowed, Choices& choices) {
  Selection selection;
  selection.reserve(features().size());
  for (std::size_t feature = 0; feature < features().size(); ++feature) {
    selection.push_back(draw_level(feature, allowed, choices));
    const LevelSet& with = Compatibility::get().with(first_level(feature) + selection.back());
    // Levels of features already drawn may go: nobody looks at them again.
    allowed &= with;
  }
  return selection;
}

DrawnScenario finish(Selection selection, Size size, Choices& choices) {
  DrawnScenario drawn{realise(selection, choices, size), std::move(selection), size};
  if (const auto rule = find_error(drawn.scenario)) {
    throw std::logic_error(fmt::format("the generator drew an invalid scenario: {}", *rule));
  }
  return drawn;
}

// Larger cases have a long context, and levels that go with one.
LevelSet levels_for(Size size, LevelSet allowed) {
  if (size == Size::small) return allowed;
  const LevelChoice context = long_context();
  const std::size_t level = first_level(context.feature) + context.level;
  allowed &= Compatibility::get().with(level);
  allowed[level] = true;
  return allowed;
}

bool keep(double cost_s, double usual_s, Choices& choices) {
  if (cost_s <= usual_s) return true;
  constexpr double kParts = 1 << 20;
  return static_cast<double>(choices.below(1 << 20)) < kParts * usual_s / cost_s;
}

// Of a few draws that fit into memory the first that is kept, or else the cheapest; if none fits,
// the plainest scenario.
DrawnScenario draw_within_budget(Size size, const LevelSet& levels, Choices& choices) {
  const LevelSet allowed = levels_for(size, levels);
  const double usual_s = size == Size::small ? kUsual_s : budget_seconds(size);
  DrawnScenario best;
  double cheapest = std::numeric_limits<double>::infinity();
  for (int draw = 0; draw < kRedraws; ++draw) {
    DrawnScenario drawn = finish(draw_selection(allowed, choices), size, choices);
    if (memory_need_bytes(drawn.scenario) > kMostMemory) continue;
    const double cost_s = forecast_seconds(drawn.scenario);
    if (keep(cost_s, usual_s, choices)) return drawn;
    if (cost_s >= cheapest) continue;
    cheapest = cost_s;
    best = std::move(drawn);
  }
  if (best.selection.empty()) {
    return finish(Selection(features().size(), 0), Size::small, choices);
  }
  return best;
}

}  // namespace

DrawnScenario draw_with_levels(Choices& choices) {
  const Size size = draw_size(choices, false);
  return draw_within_budget(size, ~LevelSet(), choices);
}

Scenario draw_scenario(Choices& choices) {
  return draw_with_levels(choices).scenario;
}

Scenario draw_scenario(std::uint64_t seed, std::uint64_t index) {
  CounterChoices choices(seed, index);
  return draw_scenario(choices);
}

ScenarioSeries::ScenarioSeries(std::uint64_t seed) : seed_(seed), covering_(covering_array(seed)) {}

DrawnScenario ScenarioSeries::draw(std::uint64_t index, std::uint32_t attempt) const {
  CounterChoices choices(seed_, index, kFirstAttempt + attempt);
  if (index < covering_.size() && attempt == 0) {
    return finish(covering_[index], Size::small, choices);
  }
  const std::uint32_t lane = attempt == 0 ? kSwarmLane : kFirstSwarm + attempt;
  CounterChoices swarm(seed_, index / kSwarmBlock, lane);
  const Size size = draw_size(choices, true);
  return draw_within_budget(size, draw_swarm(swarm), choices);
}

}  // namespace helixcheck
