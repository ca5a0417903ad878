// Drawing scenarios: one by one from any choice source, or as a numbered series.

#pragma once

#include <cstdint>
#include <vector>

#include "generate/choices.hpp"
#include "generate/features.hpp"

namespace helixcheck {

// A valid scenario and the levels it was drawn from.
struct DrawnScenario {
  Scenario scenario;
  Selection selection;
  Size size = Size::small;
};

// Levels by their weights, values within them leaning to boundaries; small, now and then medium.
DrawnScenario draw_with_levels(Choices& choices);
Scenario draw_scenario(Choices& choices);
Scenario draw_scenario(std::uint64_t seed, std::uint64_t index);  // from a CounterChoices

// Scenario `index` is a function of (seed, index) alone. The first ones form a covering array:
// every possible pair of levels occurs. After them each block of 64 goes without a random half of
// the levels (swarm testing: Groce, Zhang, Eide, Chen, Regehr, ISSTA 2012), so that features meet
// undiluted. Costly cases are so rare that they take about a tenth of the time.
class ScenarioSeries {
 public:
  explicit ScenarioSeries(std::uint64_t seed);

  // `attempt`: another scenario for the same index, for callers that cannot use the first.
  DrawnScenario draw(std::uint64_t index, std::uint32_t attempt = 0) const;

  std::uint64_t covering_cases() const { return covering_.size(); }

 private:
  std::uint64_t seed_;
  std::vector<Selection> covering_;
};

}  // namespace helixcheck
