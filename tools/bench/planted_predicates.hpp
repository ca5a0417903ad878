// Bugs as predicates on scenarios: what a shrinker must find its way through without running
// anything.

#pragma once

#include <span>
#include <string_view>

#include "scenario/scenario.hpp"

namespace helixcheck {

struct Planted {
  std::string_view name;
  std::string_view source;  // the bug it stands for, or the set of a published comparison
  bool (*fails)(const Scenario&);
};

std::span<const Planted> planted_predicates();

}  // namespace helixcheck
