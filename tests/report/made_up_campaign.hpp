// A store's worth of a campaign that never ran: three nights, findings of several kinds, curves and
// counts as a real one has them, and texts that try to become markup.

#pragma once

#include "report/campaign_view.hpp"

namespace helixcheck {

CampaignView made_up_campaign();

// The same at its very beginning: no cases, no findings, nothing kept.
CampaignView made_up_empty_campaign();

// Stands in a blame sentence and in a worker's output.
inline constexpr const char* kHostileText =
    "</script><img src=x onerror=\"document.title='owned'\"><!--{{data}}&amp;";

// Above 2^53, so that a double would lose its last digits.
inline constexpr std::uint64_t kLargeSeed = 18446744073709551557u;

}  // namespace helixcheck
