#include "store_of.hpp"

#include "store/store.hpp"

namespace helixcheck {

void store_view(const CampaignView& view, const std::filesystem::path& path) {
  Store store(path);
  store.write([&] {
    for (const CampaignRecord& campaign : view.campaigns) store.begin_campaign(campaign);
    for (const FindingRecord& finding : view.findings) store.save_finding(finding);
    for (const SightingRecord& sighting : view.sightings) store.save_sighting(sighting);
    for (const ProgressRecord& progress : view.progress) store.add_progress(progress);
    for (const CaseRecord& one : view.cases) store.add_case(one);
    for (const InterestingRecord& one : view.interesting) store.add_interesting(one);
    for (const EventRecord& event : view.events) store.add_event(event);
    store.save_taps(view.taps);
    store.save_pairs(view.pairs);
  });
}

}  // namespace helixcheck
