#include "report/together.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <tuple>
#include <utility>

#include "scenario/error.hpp"

namespace helixcheck {
namespace {

auto search_of(const CampaignRecord& campaign) {
  return std::tie(campaign.subject, campaign.contract, campaign.world, campaign.properties,
                  campaign.guided);
}

// All but seconds, which do not add up, and pairs, which are known one by one.
void add(Totals& sum, const Totals& more) {
  sum.busy_seconds += more.busy_seconds;
  sum.cases += more.cases;
  sum.unjudged += more.unjudged;
  sum.subject_runs += more.subject_runs;
  sum.interesting += more.interesting;
  sum.restarts += more.restarts;
  sum.findings = std::max(sum.findings, more.findings);
  sum.tuples = std::max(sum.tuples, more.tuples);
  sum.behaviours = std::max(sum.behaviours, more.behaviours);
  sum.worst_ratio = std::max(sum.worst_ratio, more.worst_ratio);
}

void name_too(std::string& all, const std::string& one) {
  if (all == one || all.starts_with(one + ", ") || all.ends_with(", " + one) ||
      all.find(", " + one + ", ") != all.npos) {
    return;
  }
  all += ", " + one;
}

void join(CampaignRecord& sum, const CampaignRecord& more) {
  const double worker_seconds = sum.jobs * sum.totals.seconds + more.jobs * more.totals.seconds;
  sum.jobs += more.jobs;
  add(sum.totals, more.totals);
  sum.totals.seconds = sum.jobs > 0 ? worker_seconds / sum.jobs : 0;  // keeps the workers' share
  sum.budget_seconds = std::max(sum.budget_seconds, more.budget_seconds);
  sum.budget_cases += more.budget_cases;
  sum.started = std::min(sum.started, more.started);
  const bool goes_on = sum.state == "running" || more.state == "running";
  if (goes_on || more.state == "interrupted") sum.state = goes_on ? "running" : more.state;
  sum.ended = goes_on ? "" : std::max(sum.ended, more.ended);
  name_too(sum.host, more.host);
  name_too(sum.machine, more.machine);
  name_too(sum.commit, more.commit);
}

template <typename Record>
void append(std::vector<Record>& all, const std::vector<Record>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

std::vector<TapRecord> sum_of_taps(const std::vector<CampaignView>& views) {
  std::map<std::string, TapRecord> sums;
  for (const CampaignView& view : views) {
    for (const TapRecord& tap : view.taps) {
      TapRecord& sum = sums[tap.tap];
      sum.tap = tap.tap;
      sum.worst_ratio = std::max(sum.worst_ratio, tap.worst_ratio);
      for (const auto& [log2, cases] : tap.cases) sum.cases[log2] += cases;
    }
  }
  std::vector<TapRecord> taps;
  for (auto& [name, sum] : sums) taps.push_back(std::move(sum));
  return taps;
}

std::vector<PairRecord> sum_of_pairs(const std::vector<CampaignView>& views) {
  std::vector<PairRecord> pairs;  // in the order of the features
  std::map<std::pair<std::string, std::string>, std::size_t> place;
  for (const CampaignView& view : views) {
    for (const PairRecord& pair : view.pairs) {
      const auto [at, fresh] = place.emplace(std::pair(pair.a, pair.b), pairs.size());
      if (fresh) pairs.push_back({0, pair.a, pair.b, 0});
      pairs[at->second].count += pair.count;
    }
  }
  return pairs;
}

// At each moment of any of them, the newest totals of all.
std::vector<ProgressRecord> sum_of_progress(const std::vector<CampaignView>& views) {
  std::vector<std::pair<std::size_t, const ProgressRecord*>> rows;
  for (std::size_t i = 0; i < views.size(); ++i) {
    for (const ProgressRecord& row : views[i].progress) rows.emplace_back(i, &row);
  }
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    return a.second->totals.seconds < b.second->totals.seconds;
  });
  std::vector<Totals> newest(views.size());
  std::vector<ProgressRecord> sums;
  for (const auto& [view, row] : rows) {
    newest[view] = row->totals;
    ProgressRecord sum{0, row->time, {}};
    for (const Totals& totals : newest) {
      add(sum.totals, totals);
      sum.totals.pairs = std::max(sum.totals.pairs, totals.pairs);
    }
    sum.totals.seconds = row->totals.seconds;
    sums.push_back(std::move(sum));
  }
  return sums;
}

// Findings as this one campaign has seen them.
void renumber(CampaignView& view, std::int64_t id) {
  std::map<std::string, SightingRecord> sightings;
  for (const SightingRecord& one : view.sightings) {
    const auto [at, fresh] = sightings.emplace(one.signature, one);
    at->second.campaign = id;
    if (!fresh) at->second.count += one.count;
  }
  view.sightings.clear();
  for (auto& [signature, sighting] : sightings) view.sightings.push_back(std::move(sighting));
  for (FindingRecord& finding : view.findings) finding.first_campaign = finding.last_campaign = id;
  const auto number = [id](auto& records) {
    for (auto& record : records) record.campaign = id;
  };
  number(view.progress);
  number(view.taps);
  number(view.pairs);
  number(view.cases);
  number(view.interesting);
  number(view.events);
}

}  // namespace

CampaignView together(const std::vector<CampaignView>& views) {
  CampaignView all = views.at(0);
  CampaignRecord campaign = all.campaign();
  for (std::size_t i = 1; i < views.size(); ++i) {
    const CampaignRecord& more = views[i].campaign();
    if (search_of(more) != search_of(campaign)) {
      throw InputError(
          fmt::format("campaigns {} and {} of {} are different searches: only shards of one search "
                      "can be reported together",
                      campaign.id, more.id, all.store));
    }
    join(campaign, more);
    append(all.cases, views[i].cases);
    append(all.interesting, views[i].interesting);
    append(all.events, views[i].events);
  }
  std::stable_sort(all.events.begin(), all.events.end(),
                   [](const EventRecord& a, const EventRecord& b) { return a.time < b.time; });
  all.taps = sum_of_taps(views);
  all.pairs = sum_of_pairs(views);
  all.progress = sum_of_progress(views);
  renumber(all, campaign.id);
  campaign.totals.findings = all.sightings.size();
  campaign.totals.pairs = static_cast<std::uint64_t>(std::count_if(
      all.pairs.begin(), all.pairs.end(), [](const PairRecord& pair) { return pair.a != pair.b; }));
  all.campaigns = {std::move(campaign)};
  all.chosen = 0;
  return all;
}

}  // namespace helixcheck
