// Which scenario and property stand behind a case's number.

#pragma once

#include <string>
#include <vector>

#include "generate/scenario_draw.hpp"
#include "property/property.hpp"

namespace helixcheck {

struct Case {
  std::uint64_t index = 0;
  DrawnScenario drawn;
  const Property* property = nullptr;  // nullptr: none of the chosen ones applies to what was drawn
};

class CaseSource {
 public:
  // `names` of properties, empty for all. Throws InputError for an unknown one.
  // `mpi_ranks`: scenarios are for a job of so many ranks, and larger ones are not drawn; 0: `sim`.
  CaseSource(std::uint64_t seed, const std::vector<std::string>& names, const Subject& subject,
             int mpi_ranks = 0);
  // The same series and properties for another subject.
  CaseSource(const CaseSource& other, const Subject& subject);

  // A function of (seed, index) and the chosen properties. Safe to call from several threads.
  Case draw(std::uint64_t index) const;

  // The same for a scenario that somebody else drew. No property where none applies, or where the
  // scenario is too large for the job.
  Case with_property(std::uint64_t index, DrawnScenario drawn) const;

 private:
  const Property* choose(const DrawnScenario& drawn, std::uint64_t index) const;

  std::uint64_t seed_;
  ScenarioSeries series_;
  const Subject& subject_;
  int mpi_ranks_;
  std::vector<const Property*> properties_;
};

}  // namespace helixcheck
