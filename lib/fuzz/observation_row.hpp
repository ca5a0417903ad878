// A case as a record of the store and as a line of JSON.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "generate/scenario_draw.hpp"
#include "property/property.hpp"
#include "store/records.hpp"

namespace helixcheck {

struct CaseRow {
  std::uint64_t index = 0;
  std::string_view origin;  // as in store/records.hpp
  const Scenario& scenario;
  std::string_view property;
  const DrawnScenario* drawn = nullptr;    // nullptr: given
  const PropertyResult* result = nullptr;  // nullptr: unjudged
  double seconds = 0;
  double run_start = 0;  // of the campaign's run, seconds since 1970
};

CaseRecord case_record(const CaseRow& row, const std::string& scenario_text);

// One line with its end, in the schema of Hypothesis' observations ("test_case"): type, run_start,
// property, status, status_reason, representation, arguments, how_generated, features, coverage,
// timing, metadata. Features are the levels drawn and the worst error / bound of each tap.
std::string observation_row(const CaseRow& row);

// UTC, "2026-11-22T20:15:03Z".
std::string time_of_day();

}  // namespace helixcheck
