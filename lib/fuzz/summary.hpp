// What a campaign's run has to say at its end, for people and for programs.

#pragma once

#include <string>

#include "fuzz/supervisor.hpp"

namespace helixcheck {

// Cases, rate, coverage and restarts in a few lines, each new finding in full, known ones by name.
// `subject`: as on the command line.
std::string describe(const CampaignReport& report, const std::string& subject);

// {schema, store, campaign {id, seed, state, ...totals}, resumed, interrupted, findings [...] as in
// report/json_report.hpp, again {signature: cases}}.
std::string json_of(const CampaignReport& report, const std::string& subject);

}  // namespace helixcheck
