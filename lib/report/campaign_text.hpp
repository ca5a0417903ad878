// A campaign as text for a terminal or a mail.

#pragma once

#include <string>

#include "report/campaign_view.hpp"

namespace helixcheck {

// The chosen campaign in a few lines, a table of the findings, then each finding that the campaign
// saw with its blame, what it fails for and the line that repeats it.
std::string describe(const CampaignView& view);

}  // namespace helixcheck
