// Each store is read into memory as a whole before anything of it is written, so that one whose
// damage shows in the middle leaves nothing behind. What is written of one is one change.

#include "store/merge.hpp"

#include <fmt/format.h>
#include <map>
#include <optional>
#include <set>
#include <system_error>
#include <tuple>
#include <utility>

#include "scenario/error.hpp"
#include "store/store.hpp"

namespace helixcheck {
namespace fs = std::filesystem;
namespace {

struct CampaignContents {
  CampaignRecord campaign;
  std::vector<ProgressRecord> progress;
  std::vector<CaseRecord> cases;
  std::vector<TapRecord> taps;
  std::vector<PairRecord> pairs;
  std::vector<InterestingRecord> interesting;
  std::vector<EventRecord> events;
};

struct StoreContents {
  std::vector<CampaignContents> campaigns;
  std::vector<FindingRecord> findings;
  std::vector<SightingRecord> sightings;
};

StoreContents contents_of(const fs::path& path) {
  const StoreReader store(path);
  store.check_integrity();
  StoreContents contents;
  store.snapshot([&] {
    for (CampaignRecord& campaign : store.campaigns()) {
      const std::int64_t id = campaign.id;
      contents.campaigns.push_back({std::move(campaign), store.progress(id), store.cases(id),
                                    store.taps(id), store.pairs(id), store.interesting(id),
                                    store.events(id)});
    }
    contents.findings = store.findings();
    contents.sightings = store.sightings();
  });
  return contents;
}

// All of these only grow while a campaign goes on; its end is the last that happens to it.
auto how_far(const CampaignRecord& campaign) {
  return std::tuple(campaign.totals.cases, campaign.next_case, campaign.totals.seconds,
                    campaign.state != "running");
}

template <typename Record>
void renumber(std::vector<Record>& records, std::int64_t campaign) {
  for (Record& record : records) record.campaign = campaign;
}

void write_contents(Store& store, CampaignContents& contents, std::int64_t id) {
  renumber(contents.progress, id);
  renumber(contents.cases, id);
  renumber(contents.taps, id);
  renumber(contents.pairs, id);
  renumber(contents.interesting, id);
  renumber(contents.events, id);
  for (const ProgressRecord& progress : contents.progress) store.add_progress(progress);
  for (const CaseRecord& run : contents.cases) store.add_case(run);
  for (const InterestingRecord& found : contents.interesting) store.add_interesting(found);
  for (const EventRecord& event : contents.events) store.add_event(event);
  store.save_taps(contents.taps);
  store.save_pairs(contents.pairs);
}

void merge_one(Store& store, StoreContents& contents, MergeResult& result) {
  std::map<std::int64_t, std::int64_t> ids;  // in the store, by those in the other
  std::set<std::int64_t> left_alone;         // of the other
  std::set<std::string> known_findings;
  for (const FindingRecord& finding : store.findings()) known_findings.insert(finding.signature);
  for (CampaignContents& merged : contents.campaigns) {
    const std::int64_t theirs = merged.campaign.id;
    const std::optional<CampaignRecord> known = store.campaign(merged.campaign.uid);
    if (!known) {
      ids[theirs] = store.begin_campaign(merged.campaign);
      ++result.added;
    } else {
      ids[theirs] = merged.campaign.id = known->id;
      if (how_far(*known) >= how_far(merged.campaign)) {
        left_alone.insert(theirs);
        ++result.unchanged;
        continue;
      }
      store.clear_campaign(known->id);
      store.update_campaign(merged.campaign);
      ++result.updated;
    }
    write_contents(store, merged, ids[theirs]);
  }
  // Sightings that the store has of campaigns left alone are as new as these or newer.
  std::set<std::string> seen_again;
  for (const SightingRecord& sighting : contents.sightings) {
    if (!left_alone.contains(sighting.campaign)) seen_again.insert(sighting.signature);
  }
  for (FindingRecord& finding : contents.findings) {
    if (!seen_again.contains(finding.signature)) continue;
    if (!known_findings.contains(finding.signature)) ++result.new_findings;
    finding.last_campaign = ids.at(finding.last_campaign);
    store.save_finding(finding);
  }
  for (SightingRecord& sighting : contents.sightings) {
    if (left_alone.contains(sighting.campaign)) continue;
    sighting.campaign = ids.at(sighting.campaign);
    store.save_sighting(sighting);
  }
}

}  // namespace

MergeResult merge_stores(const std::vector<fs::path>& from, const fs::path& into) {
  for (const fs::path& path : from) {
    std::error_code missing;
    if (fs::equivalent(path, into, missing)) {
      throw InputError(fmt::format("{}: a store cannot be merged into itself", path.string()));
    }
  }
  MergeResult result;
  std::optional<Store> store;
  for (const fs::path& path : from) {
    StoreContents contents;
    try {
      contents = contents_of(path);
    } catch (const std::runtime_error& error) {
      result.problems.emplace_back(error.what());
      continue;
    }
    if (!store) store.emplace(into);
    store->write([&] { merge_one(*store, contents, result); });
  }
  if (!store) {
    throw InputError(fmt::format("{}: nothing to merge into it: {}", into.string(),
                                 fmt::join(result.problems, "; ")));
  }
  return result;
}

}  // namespace helixcheck
