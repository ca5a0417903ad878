// What a benchmark measures: one decode step of equal requests, described by a scenario.

#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "scenario/scenario.hpp"

namespace helixcheck::bench {

struct Shape {
  std::int64_t batch = 1, heads = 32;
  std::int64_t ctx_len = 4096;  // keys of a request over all ranks, the step's new token included
  std::int64_t kvp = 2;
  friend bool operator==(const Shape&, const Shape&) = default;
};

// A list with a name. `flashmla`: the shapes at which public FlashMLA was measured, on one rank;
// `guide`: the five scenarios of the fixed test's guide, on two.
struct ShapeList {
  std::string_view name;
  bool layer;  // with projections; else attention, exchange and merge only
  std::vector<Shape> shapes;
};
const std::vector<ShapeList>& shape_lists();
// Throws InputError that lists the known names.
const ShapeList& find_shape_list(std::string_view name);

// `base` with the shape put in: prompts of ctx_len - 1 tokens, given, and one step of one token.
// Throws InputError if that is no valid scenario, or one that a benchmark cannot measure.
Scenario scenario_of(const Scenario& base, const Shape& shape);

}  // namespace helixcheck::bench
