// Counting is part of every case: a few hundred additions, no allocation.

#include "campaign/statistics.hpp"

#include <algorithm>

namespace helixcheck {

Statistics::Statistics() : levels_(level_count()), pairs_(levels_ * levels_) {}

void Statistics::add(const DrawnScenario& drawn, std::string_view property,
                     const PropertyResult& result, double seconds) {
  ++cases_;
  subject_runs_ += static_cast<std::uint64_t>(result.subject_runs);
  by_size_[index(drawn.size)].cases += 1;
  by_size_[index(drawn.size)].seconds += seconds;
  const auto known = by_property_.find(property);
  if (known != by_property_.end()) {
    ++known->second;
  } else {
    by_property_.emplace(property, 1);
  }
  for (const TapResult& tap : result.taps) {
    double& worst = worst_[static_cast<std::size_t>(tap.tap)];
    worst = std::max(worst, tap.worst_ratio);
  }
  for (std::size_t f = 0; f < drawn.selection.size(); ++f) {
    const std::size_t a = first_level(f) + drawn.selection[f];
    for (std::size_t g = f; g < drawn.selection.size(); ++g) {
      ++pairs_[a * levels_ + first_level(g) + drawn.selection[g]];
    }
  }
}

void Statistics::merge(const Statistics& other) {
  cases_ += other.cases_;
  subject_runs_ += other.subject_runs_;
  unjudged_ += other.unjudged_;
  for (std::size_t i = 0; i < pairs_.size(); ++i) pairs_[i] += other.pairs_[i];
  for (std::size_t i = 0; i < by_size_.size(); ++i) {
    by_size_[i].cases += other.by_size_[i].cases;
    by_size_[i].seconds += other.by_size_[i].seconds;
  }
  for (const auto& [property, count] : other.by_property_) by_property_[property] += count;
  for (std::size_t i = 0; i < worst_.size(); ++i) worst_[i] = std::max(worst_[i], other.worst_[i]);
}

std::uint64_t Statistics::drawn(std::size_t a, std::size_t b) const {
  return pairs_[std::min(a, b) * levels_ + std::max(a, b)];
}

std::size_t Statistics::pairs_drawn() const {
  std::size_t count = 0;
  for (std::size_t a = 0; a < levels_; ++a) {
    for (std::size_t b = a + 1; b < levels_; ++b) count += pairs_[a * levels_ + b] > 0 ? 1 : 0;
  }
  return count;
}

double Statistics::share_of_time(Size size) const {
  double all = 0;
  for (const SizeCount& count : by_size_) all += count.seconds;
  return all > 0 ? by_size_[index(size)].seconds / all : 0;
}

double Statistics::worst_ratio() const {
  return *std::max_element(worst_.begin(), worst_.end());
}

}  // namespace helixcheck
