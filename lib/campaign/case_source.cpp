// The property is drawn after the scenario, by weight among those that apply to it.

#include "campaign/case_source.hpp"

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

// Covering cases belong to the first property that applies: the equivalence, if it is chosen.
const Property* CaseSource::choose(const DrawnScenario& drawn, std::uint64_t index) const {
  std::vector<const Property*> fitting;
  int sum = 0;
  for (const Property* property : properties_) {
    if (!property->applies(drawn.scenario, subject_)) continue;
    if (index < series_.covering_cases()) return property;
    fitting.push_back(property);
    sum += property->weight;
  }
  if (fitting.empty()) return nullptr;
  CounterChoices choices(seed_, index, kPropertyLane);
  auto drawn_weight = static_cast<int>(choices.below(static_cast<std::uint64_t>(sum)));
  std::size_t chosen = 0;
  while (drawn_weight >= fitting[chosen]->weight) drawn_weight -= fitting[chosen++]->weight;
  return fitting[chosen];
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
