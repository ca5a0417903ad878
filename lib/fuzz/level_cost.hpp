// What a scenario of some levels will cost, without making it: a product of one factor a level.

#pragma once

#include <span>
#include <vector>

#include "generate/features.hpp"

namespace helixcheck {

class LevelCost {
 public:
  // Fitted on first use to some thousand forecasts, tens of milliseconds.
  static const LevelCost& get();

  // Seconds, mostly within a factor of two of forecast_seconds (generate/cost.hpp).
  double seconds(const Selection& selection) const;
  // Of each level, for drawing it about as often as it is cheap beside others of its feature, so
  // that each doubling of the cost takes no more of the time than the one before.
  std::span<const int> weights() const { return weights_; }

 private:
  LevelCost();
  std::vector<int> weigh() const;

  std::vector<double> logarithm_;  // of each level's factor
  std::vector<int> weights_;
};

}  // namespace helixcheck
