#include "report/load_campaign.hpp"

#include <algorithm>
#include <ctime>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "report/together.hpp"
#include "scenario/error.hpp"

namespace helixcheck {
namespace {

constexpr std::size_t kMostProgress = 1000;  // rows of each campaign that is reported with others

std::size_t chosen_of(const std::vector<CampaignRecord>& campaigns, std::int64_t id,
                      const std::string& store) {
  const auto found = std::find_if(campaigns.begin(), campaigns.end(),
                                  [id](const CampaignRecord& one) { return one.id == id; });
  if (found == campaigns.end()) {
    throw InputError(fmt::format("{} has no campaign {}; it has {} to {}", store, id,
                                 campaigns.front().id, campaigns.back().id));
  }
  return static_cast<std::size_t>(found - campaigns.begin());
}

CampaignView read_campaigns(const StoreReader& store) {
  CampaignView view;
  view.store = store.path().string();
  view.made = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  view.campaigns = store.campaigns();
  if (view.campaigns.empty()) {
    throw InputError(
        fmt::format("{} holds no campaign yet: there is nothing to report", view.store));
  }
  view.findings = store.findings();
  view.sightings = store.sightings();
  return view;
}

void read_details(const StoreReader& store, std::int64_t id, CampaignView& view) {
  view.chosen = chosen_of(view.campaigns, id, view.store);
  view.progress = store.progress(id);
  view.taps = store.taps(id);
  view.pairs = store.pairs(id);
  view.cases = store.cases(id);
  view.interesting = store.interesting(id);
  view.events = store.events(id);
}

}  // namespace

CampaignView load_campaign(const StoreReader& store, std::optional<std::int64_t> campaign) {
  CampaignView view;
  store.snapshot([&] {
    view = read_campaigns(store);
    read_details(store, campaign.value_or(view.campaigns.back().id), view);
  });
  return view;
}

CampaignView load_together(const StoreReader& store) {
  std::vector<CampaignView> views;
  store.snapshot([&] {
    const CampaignView first = read_campaigns(store);
    for (const CampaignRecord& campaign : first.campaigns) {
      CampaignView& view = views.emplace_back();
      view.store = first.store;
      view.campaigns = first.campaigns;
      if (views.size() == 1) view = first;  // findings are the store's
      read_details(store, campaign.id, view);
      view.progress = thinned(view.progress, kMostProgress);
    }
  });
  return together(views);
}

}  // namespace helixcheck
