// What a report shows of a store: its campaigns, one of them in detail, and all findings.
//
// Plain values, so that whoever writes reports needs no database.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/records.hpp"

namespace helixcheck {

struct CampaignView {
  std::string store;                      // the file, as it was named
  std::string made;                       // when the report was made, UTC as in the records
  std::vector<CampaignRecord> campaigns;  // by id, at least one
  std::size_t chosen = 0;                 // among them
  std::vector<FindingRecord> findings;    // of all campaigns; counts and times over them all
  std::vector<SightingRecord> sightings;  // which campaign saw which
  // Of the chosen campaign:
  std::vector<ProgressRecord> progress;  // oldest first
  std::vector<TapRecord> taps;
  std::vector<PairRecord> pairs;
  std::vector<CaseRecord> cases;
  std::vector<InterestingRecord> interesting;
  std::vector<EventRecord> events;  // oldest first

  const CampaignRecord& campaign() const { return campaigns.at(chosen); }
};

// What a finding is to the chosen campaign: seen in it first, seen before and in it, seen before it
// or after it only.
enum class Novelty { fresh, again, earlier, later };
Novelty novelty_of(const FindingRecord& finding, const CampaignView& view);
std::string_view name_of(Novelty novelty);  // "new", "again", "earlier", "later"
inline bool seen_in_campaign(Novelty novelty) {
  return novelty == Novelty::fresh || novelty == Novelty::again;
}

// What this campaign saw before what it did not; new ones first; then the graver kind (a crash
// before a wrong value), then what more cases showed.
std::vector<const FindingRecord*> in_order(const CampaignView& view);

// How many findings the chosen campaign saw, and how many of them no campaign before it.
struct FindingCounts {
  std::size_t seen = 0, fresh = 0;
};
FindingCounts count_findings(const CampaignView& view);

// Share of the workers' time that was not spent inside cases, 0..1; nothing before there was any.
std::optional<double> share_outside_cases(const CampaignRecord& campaign);

// The night in one sentence: "3 findings, 1 of them new, in 1204233 cases: 41 cases/s for 8 h".
std::string headline(const CampaignView& view);

// "8 h 2 min", "3 min 20 s", "12.3 s".
std::string duration_text(double seconds);

// At most `most` rows (2 or more), evenly chosen, with the first and the last.
std::vector<ProgressRecord> thinned(const std::vector<ProgressRecord>& rows, std::size_t most);

// A tap's number among all taps, kTapCount for one that this build does not know.
int place_in_pipeline(std::string_view tap);
std::vector<TapRecord> in_pipeline_order(std::vector<TapRecord> taps);

// Those that failed, then those that came nearest to a bound; at most `most`.
std::vector<const CaseRecord*> telling_cases(const CampaignView& view, std::size_t most);

}  // namespace helixcheck
