// A case is drawn as often as needed until one is worth its cost.

#include "generate/scenario_draw.hpp"

#include <fmt/format.h>
#include <limits>
#include <stdexcept>

#include "generate/compatibility.hpp"
#include "generate/cost.hpp"
#include "generate/covering.hpp"
#include "generate/level_draw.hpp"
#include "scenario/validate.hpp"

namespace helixcheck {
namespace {

// Lanes of the seed's streams; the covering array has 2, attempts count from kFirstAttempt. Each
// has a swarm of its own: what a caller waits for may be switched off in the first one.
constexpr std::uint32_t kSwarmLane = 1;
constexpr std::uint32_t kFirstAttempt = 16;
constexpr std::uint32_t kFirstSwarm = 1 << 16;
constexpr std::uint64_t kSwarmBlock = 64;

constexpr int kRedraws = 12;

DrawnScenario finish(Selection selection, Size size, Choices& choices) {
  DrawnScenario drawn{realise(selection, choices, size), std::move(selection), size};
  if (const auto rule = find_error(drawn.scenario)) {
    throw std::logic_error(fmt::format("the generator drew an invalid scenario: {}", *rule));
  }
  return drawn;
}

// Of a few draws that fit into memory the first that is kept, or else the cheapest; if none fits,
// the plainest scenario.
DrawnScenario draw_within_budget(Size size, const LevelSet& levels, Choices& choices) {
  const LevelSet allowed = levels_for(size, levels);
  DrawnScenario best;
  double cheapest = std::numeric_limits<double>::infinity();
  for (int draw = 0; draw < kRedraws; ++draw) {
    DrawnScenario drawn = finish(draw_selection(allowed, choices), size, choices);
    if (memory_need_bytes(drawn.scenario) > kMostMemory_bytes) continue;
    const double cost_s = forecast_seconds(drawn.scenario);
    if (worth_its_cost(cost_s, size, choices)) return drawn;
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
