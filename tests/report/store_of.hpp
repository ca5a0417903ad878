// A store that holds a view.

#pragma once

#include <filesystem>

#include "report/campaign_view.hpp"

namespace helixcheck {

void store_view(const CampaignView& view, const std::filesystem::path& path);

}  // namespace helixcheck
