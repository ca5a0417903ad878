// Failures as plain conditions on scenarios.

#pragma once

#include <functional>

#include "generate/scenario_draw.hpp"
#include "shrink/shrinker.hpp"

namespace helixcheck {

using Condition = std::function<bool(const Scenario&)>;

inline const Signature kWanted{"equivalence", "cpu", "value", "attend"};
inline const Signature kOther{"equivalence", "cpu", "value", "plan"};

inline FailingWith failing_if(Condition condition) {
  return [condition = std::move(condition)](const Scenario& s) -> std::optional<Signature> {
    if (condition(s)) return kWanted;
    return std::nullopt;
  };
}

// The first scenario of a series that meets the condition.
inline Scenario drawn_failing(const Condition& condition, std::uint64_t seed) {
  for (std::uint64_t index = 0;; ++index) {
    Scenario scenario = draw_scenario(seed, index);
    if (condition(scenario)) return scenario;
  }
}

}  // namespace helixcheck
