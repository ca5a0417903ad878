// Counting is part of every case: a few hundred additions, no allocation.

#include "campaign/statistics.hpp"

#include <algorithm>
#include <cmath>

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
    ++ratios_[static_cast<std::size_t>(tap.tap)][bucket(tap.worst_ratio)];
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
  for (std::size_t i = 0; i < worst_.size(); ++i) {
    worst_[i] = std::max(worst_[i], other.worst_[i]);
    for (std::size_t j = 0; j < ratios_[i].size(); ++j) ratios_[i][j] += other.ratios_[i][j];
  }
}

std::size_t Statistics::bucket(double ratio) {
  if (std::isnan(ratio)) return kHighestLog2 - kLowestLog2;
  const int log2 = ratio > 0 && std::isfinite(ratio) ? std::ilogb(ratio)
                   : ratio > 0                       ? kHighestLog2
                                                     : kLowestLog2;
  return static_cast<std::size_t>(std::clamp(log2, kLowestLog2, kHighestLog2) - kLowestLog2);
}

// Most pairs are not drawn between two messages.
void Statistics::pack_into(Packer& to) const {
  to.value(cases_).value(subject_runs_).value(unjudged_).value(by_size_).value(worst_);
  to.value(ratios_).value(by_property_.size());
  for (const auto& [property, count] : by_property_) to.text(property).value(count);
  const auto drawn = static_cast<std::size_t>(
      std::count_if(pairs_.begin(), pairs_.end(), [](std::uint64_t n) { return n > 0; }));
  to.value(drawn);
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    if (pairs_[i] > 0) to.value(static_cast<std::uint32_t>(i)).value(pairs_[i]);
  }
}

Statistics Statistics::unpack_from(Unpacker& from) {
  Statistics result;
  result.cases_ = from.value<std::uint64_t>();
  result.subject_runs_ = from.value<std::uint64_t>();
  result.unjudged_ = from.value<std::uint64_t>();
  result.by_size_ = from.value<decltype(by_size_)>();
  result.worst_ = from.value<decltype(worst_)>();
  result.ratios_ = from.value<decltype(ratios_)>();
  for (auto left = from.value<std::size_t>(); left > 0; --left) {
    const std::string property = from.text();
    result.by_property_[property] = from.value<std::uint64_t>();
  }
  for (auto left = from.value<std::size_t>(); left > 0; --left) {
    const auto place = from.value<std::uint32_t>();
    result.pairs_.at(place) = from.value<std::uint64_t>();
  }
  return result;
}

void Statistics::restore_pair(std::size_t a, std::size_t b, std::uint64_t count) {
  pairs_[std::min(a, b) * levels_ + std::max(a, b)] += count;
}

void Statistics::restore_ratios(Tap tap, int log2, std::uint64_t cases, double worst) {
  const auto i = static_cast<std::size_t>(tap);
  ratios_[i][static_cast<std::size_t>(std::clamp(log2, kLowestLog2, kHighestLog2) - kLowestLog2)] +=
      cases;
  worst_[i] = std::max(worst_[i], worst);
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
