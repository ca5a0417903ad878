// The report as a page: one HTML file that needs no network.

#pragma once

#include <string>

#include "report/assets.hpp"
#include "report/campaign_view.hpp"

namespace helixcheck {

// The page shows what json_of gives. Nothing that a store holds is taken as markup or script, and
// the page's policy forbids to load or send anything. Without a charting library it has tables only
// and says why.
std::string html_of(const CampaignView& view, const ChartLibrary& charts = chart_library());

}  // namespace helixcheck
