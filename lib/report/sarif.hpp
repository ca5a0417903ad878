// Findings for code hosts: SARIF 2.1.0, the static analysis results format of OASIS.

#pragma once

#include <filesystem>
#include <string>

#include "report/campaign_view.hpp"

namespace helixcheck {

// One run of the chosen campaign: a rule for each property, a result for each finding of the store,
// at its file in the corpus. Files below `root` (the repository) are named relative to it; a
// finding that is in no file has a logical location only. The fingerprint is the signature, which
// stays the same from night to night.
std::string sarif_of(const CampaignView& view, const std::filesystem::path& root);

}  // namespace helixcheck
