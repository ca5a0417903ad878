// Several campaigns as one: the shards of a night.

#pragma once

#include <vector>

#include "report/campaign_view.hpp"

namespace helixcheck {

// A view whose one campaign is all of them, as if they had run side by side from one moment on, in
// order of their ids. What each counts for itself without saying what (triples, behaviours) is at
// least the largest. Every view has the same store and its chosen campaign in detail; at least one.
// Throws InputError if they are not the same search: subject, contract, world, properties and
// guidance.
CampaignView together(const std::vector<CampaignView>& views);

}  // namespace helixcheck
