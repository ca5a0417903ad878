// The property is drawn after the scenario, by weight among those that apply to it.

#include "campaign/case_source.hpp"

#include <algorithm>

namespace helixcheck {
namespace {

constexpr std::uint32_t kPropertyLane = 3;  // of the seed's streams
constexpr std::uint32_t kAttempts = 2048;   // scenarios drawn for one a chosen property applies to

}  // namespace

CaseSource::CaseSource(std::uint64_t seed, const std::vector<std::string>& names,
                       const Subject& subject, int mpi_ranks)
    : seed_(seed), series_(seed), subject_(subject), mpi_ranks_(mpi_ranks) {
  for (const std::string& name : names) properties_.push_back(&find_property(name));
  if (!names.empty()) return;
  for (const Property& property : properties()) properties_.push_back(&property);
}

CaseSource::CaseSource(const CaseSource& other, const Subject& subject)
    : seed_(other.seed_),
      series_(other.series_),
      subject_(subject),
      mpi_ranks_(other.mpi_ranks_),
      properties_(other.properties_) {}

// Covering cases belong to the first property that applies: the equivalence, if it is chosen. For
// others, properties are drawn by weight until one applies: to ask all of them would cost more than
// to draw the scenario, and would come to the same shares.
const Property* CaseSource::choose(const DrawnScenario& drawn, std::uint64_t index) const {
  const auto applies = [&](const Property* property) {
    return property->applies(drawn.scenario, subject_);
  };
  if (index < series_.covering_cases()) {
    const auto first = std::find_if(properties_.begin(), properties_.end(), applies);
    return first == properties_.end() ? nullptr : *first;
  }
  std::vector<const Property*> left = properties_;
  std::uint64_t sum = 0;
  for (const Property* property : left) sum += static_cast<std::uint64_t>(property->weight);
  CounterChoices choices(seed_, index, kPropertyLane);
  while (!left.empty()) {
    std::uint64_t place = choices.below(sum);
    auto drawn_one = left.begin();
    while (place >= static_cast<std::uint64_t>((*drawn_one)->weight)) {
      place -= static_cast<std::uint64_t>((*drawn_one++)->weight);
    }
    if (applies(*drawn_one)) return *drawn_one;
    sum -= static_cast<std::uint64_t>((*drawn_one)->weight);
    left.erase(drawn_one);
  }
  return nullptr;
}

Case CaseSource::with_property(std::uint64_t index, DrawnScenario drawn) const {
  Case result{index, std::move(drawn), nullptr};
  Scenario& scenario = result.drawn.scenario;
  if (mpi_ranks_ > 0) {
    scenario.run.world = WorldKind::mpi;
    const bool ranks_needed = scenario.problem.entry != Entry::merge;
    if (ranks_needed && scenario.layout.ranks() > mpi_ranks_) return result;
  }
  result.property = choose(result.drawn, index);
  return result;
}

Case CaseSource::draw(std::uint64_t index) const {
  Case result;
  for (std::uint32_t attempt = 0; attempt < kAttempts && result.property == nullptr; ++attempt) {
    result = with_property(index, series_.draw(index, attempt));
  }
  return result;
}

}  // namespace helixcheck
