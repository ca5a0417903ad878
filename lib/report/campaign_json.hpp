// A campaign as JSON: what programs read, and what the page draws from.

#pragma once

#include <string>

#include "report/campaign_view.hpp"

namespace helixcheck {

// {schema, made_by {name, version, commit}, made, store, chosen, headline, counts {seen, new},
// share_outside_cases, campaigns [...], findings [...], progress {column: [...]}, taps [{tap,
// stage, worst_ratio, cases [[log2, n]]}], coverage, cases [...], cases_kept, interesting [...],
// interesting_kept, events [...]}.
//
// The records' members keep their names. Findings stand in the order of in_order, with `novelty`
// and `seen` [{campaign, count, first_seen, last_seen}]. Scenarios are text. Integers above 2^53
// and numbers that are not finite are strings. Lists are cut: progress to 1000 rows, cases to 300,
// interesting to 100. Text that is not UTF-8 is made so.
std::string json_of(const CampaignView& view);

// The same without line breaks.
std::string compact_json_of(const CampaignView& view);

}  // namespace helixcheck
