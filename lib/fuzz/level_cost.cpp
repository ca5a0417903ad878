// Least squares on logarithms by Kaczmarz' method: each sample in turn corrects its levels evenly.

#include "fuzz/level_cost.hpp"

#include <algorithm>
#include <cmath>

#include "generate/cost.hpp"
#include "generate/genome.hpp"

namespace helixcheck {
namespace {

constexpr std::uint64_t kSeed = 1;
constexpr std::uint64_t kSamples = 3000;
constexpr int kPasses = 30;
constexpr double kFullWeight = 1024;
constexpr double kTilt = 0.5;
constexpr int kRare = 50;  // one in so many

struct Sample {
  Selection selection;
  double log_seconds = 0;
};

std::vector<Sample> draw_samples() {
  std::vector<Sample> samples;
  for (std::uint64_t i = 0; i < kSamples; ++i) {
    CounterChoices choices(kSeed, i);
    Genome genome = genome_of({});
    for (Lane& lane : genome.lanes) lane.level = static_cast<std::uint8_t>(choices.below(256));
    const Selection selection = levels_of(genome);
    const Scenario scenario = realise(selection, choices, Size::small);  // however large
    samples.push_back({selection, std::log(forecast_seconds(scenario))});
  }
  return samples;
}

}  // namespace

const LevelCost& LevelCost::get() {
  static const LevelCost fitted;
  return fitted;
}

LevelCost::LevelCost() : logarithm_(level_count()) {
  const std::vector<Sample> samples = draw_samples();
  for (int pass = 0; pass < kPasses; ++pass) {
    const double pace = 1.0 / (1 + pass);
    for (const Sample& sample : samples) {
      const double error = sample.log_seconds - std::log(seconds(sample.selection));
      const double share = pace * error / static_cast<double>(sample.selection.size());
      for (std::size_t f = 0; f < sample.selection.size(); ++f) {
        logarithm_[first_level(f) + sample.selection[f]] += share;
      }
    }
  }
  weights_ = weigh();
}

// The entry decides what others mean, and what the table draws hardly ever is rare for its cost:
// there the table's weights stay.
bool keeps_weights(std::size_t feature) {
  int least = 1, sum = 0;
  for (const Level& level : features()[feature].levels) {
    least = std::min(least, level.weight);
    sum += level.weight;
  }
  return feature == 0 || kRare * least < sum;
}

std::vector<int> LevelCost::weigh() const {
  std::vector<int> weights;
  for (std::size_t f = 0; f < features().size(); ++f) {
    const auto first = logarithm_.begin() + static_cast<std::ptrdiff_t>(first_level(f));
    const auto end = first + static_cast<std::ptrdiff_t>(features()[f].levels.size());
    const double cheapest = *std::min_element(first, end);
    for (auto level = first; level != end; ++level) {
      const int in_table = features()[f].levels[static_cast<std::size_t>(level - first)].weight;
      const int by_cost = 1 + static_cast<int>(kFullWeight * std::exp(kTilt * (cheapest - *level)));
      weights.push_back(keeps_weights(f) ? in_table : by_cost);
    }
  }
  return weights;
}

double LevelCost::seconds(const Selection& selection) const {
  double sum = 0;
  for (std::size_t f = 0; f < selection.size(); ++f) {
    sum += logarithm_[first_level(f) + selection[f]];
  }
  return std::exp(sum);
}

}  // namespace helixcheck
