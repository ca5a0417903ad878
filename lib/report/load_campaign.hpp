// A campaign out of its store.

#pragma once

#include <cstdint>
#include <optional>

#include "report/campaign_view.hpp"
#include "store/reader.hpp"

namespace helixcheck {

// All of one moment, also while a campaign is writing. The last campaign if none is named. Throws
// InputError if the store has no such campaign, or none at all.
CampaignView load_campaign(const StoreReader& store, std::optional<std::int64_t> campaign);

// All campaigns of the store as one (together.hpp). Throws InputError if they are different
// searches, or if there is none.
CampaignView load_together(const StoreReader& store);

}  // namespace helixcheck
