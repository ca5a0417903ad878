// Words for a set of values that fail among values tried.

#pragma once

#include <string>
#include <vector>

namespace helixcheck {

struct Trial {
  double value = 0;  // choices: their number
  std::string text;
  bool fails = false;
};

// The first of these that all trials agree with: "any", "== v", ">= v", "<= v", "a to b", "!= v",
// "% m == r", "% m != r", "% m >= r", "% m == r, >= v", and otherwise "one of ..." those that fail.
// `ordered`: numbers; others are never compared. Requires one failing trial at least.
std::string describe(std::vector<Trial> trials, bool ordered, bool integers);

}  // namespace helixcheck
