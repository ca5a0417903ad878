// Records to JSON, member by member.

#include "report/campaign_json.hpp"

#include <algorithm>

#include "campaign/commit.hpp"
#include "report/coverage_json.hpp"
#include "report/exact_json.hpp"
#include "scenario/json.hpp"

namespace helixcheck {
namespace {

constexpr std::size_t kProgressRows = 1000, kCases = 300, kInteresting = 100;

Json totals_json(const Totals& totals) {
  return {{"seconds", number(totals.seconds)},
          {"busy_seconds", number(totals.busy_seconds)},
          {"cases", exact(totals.cases)},
          {"unjudged", exact(totals.unjudged)},
          {"subject_runs", exact(totals.subject_runs)},
          {"findings", exact(totals.findings)},
          {"pairs", exact(totals.pairs)},
          {"tuples", exact(totals.tuples)},
          {"behaviours", exact(totals.behaviours)},
          {"interesting", exact(totals.interesting)},
          {"restarts", exact(totals.restarts)},
          {"worst_ratio", number(totals.worst_ratio)}};
}

Json campaign_json(const CampaignRecord& campaign) {
  Json json;
  json["id"] = campaign.id;
  json["command"] = campaign.command;
  json["subject"] = campaign.subject;
  json["contract"] = campaign.contract;
  json["world"] = campaign.world;
  json["properties"] = campaign.properties;
  json["seed"] = exact(campaign.seed);
  json["guided"] = campaign.guided;
  json["jobs"] = campaign.jobs;
  json["budget_seconds"] = number(campaign.budget_seconds);
  json["budget_cases"] = exact(campaign.budget_cases);
  json["commit"] = campaign.commit;
  json["host"] = campaign.host;
  json["machine"] = campaign.machine;
  json["started"] = campaign.started;
  json["ended"] = campaign.ended;
  json["state"] = campaign.state;
  json["next_case"] = exact(campaign.next_case);
  json["totals"] = totals_json(campaign.totals);
  return json;
}

// The campaigns that saw a finding, and how often each.
Json seen_json(const FindingRecord& finding, const CampaignView& view) {
  Json json = Json::array();
  for (const SightingRecord& sighting : view.sightings) {
    if (sighting.signature != finding.signature) continue;
    json.push_back({{"campaign", sighting.campaign},
                    {"count", exact(sighting.count)},
                    {"first_seen", sighting.first_seen},
                    {"last_seen", sighting.last_seen}});
  }
  return json;
}

Json finding_json(const FindingRecord& finding, const CampaignView& view) {
  Json json;
  json["id"] = finding.id;
  json["signature"] = finding.signature;
  json["novelty"] = name_of(novelty_of(finding, view));
  json["property"] = finding.property;
  json["subject"] = finding.subject;
  json["kind"] = finding.kind;
  json["stage"] = finding.stage;
  json["state"] = finding.state;
  json["first_seen"] = finding.first_seen;
  json["last_seen"] = finding.last_seen;
  json["first_commit"] = finding.first_commit;
  json["last_commit"] = finding.last_commit;
  json["first_campaign"] = finding.first_campaign;
  json["last_campaign"] = finding.last_campaign;
  json["count"] = exact(finding.count);
  json["seen"] = seen_json(finding, view);
  json["case_index"] = exact(finding.case_index);
  json["blame"] = finding.blame;
  json["explanation"] = finding.explanation;
  json["note"] = finding.note;
  json["output"] = finding.output;
  json["replay"] = finding.replay;
  json["file"] = finding.file;
  json["shrink_evaluations"] = finding.shrink_evaluations;
  json["locally_minimal"] = finding.locally_minimal;
  json["scenario_file"] = finding.scenario_file;
  return json;
}

// A list for each member, which a plot takes as it is.
Json progress_json(const std::vector<ProgressRecord>& all) {
  Json json = Json::object();
  for (const ProgressRecord& row : thinned(all, kProgressRows)) {
    json["time"].push_back(row.time);
    const Json totals = totals_json(row.totals);
    for (const auto& [name, value] : totals.items()) json[name].push_back(value);
  }
  return json;
}

Json case_json(const CaseRecord& one) {
  return {{"index", exact(one.index)},  {"time", one.time},
          {"property", one.property},   {"status", one.status},
          {"origin", one.origin},       {"tap", one.tap},
          {"ratio", number(one.ratio)}, {"seconds", number(one.seconds)},
          {"scenario", one.scenario}};
}

void add_lists(Json& json, const CampaignView& view) {
  json["cases"] = Json::array();
  for (const CaseRecord* one : telling_cases(view, kCases))
    json["cases"].push_back(case_json(*one));
  json["cases_kept"] = view.cases.size();
  json["interesting"] = Json::array();
  const std::size_t shown = std::min(view.interesting.size(), kInteresting);
  for (std::size_t i = view.interesting.size() - shown; i < view.interesting.size(); ++i) {
    const InterestingRecord& one = view.interesting[i];
    json["interesting"].push_back(
        {{"index", exact(one.index)}, {"property", one.property}, {"reason", one.reason}});
  }
  json["interesting_kept"] = view.interesting.size();
  json["events"] = Json::array();
  for (const EventRecord& event : view.events) {
    json["events"].push_back({{"time", event.time}, {"text", event.text}});
  }
}

Json document(const CampaignView& view) {
  const CampaignRecord& campaign = view.campaign();
  const FindingCounts counts = count_findings(view);
  const std::optional<double> outside = share_outside_cases(campaign);
  Json json;
  json["schema"] = kSchema;
  json["made_by"] = {
      {"name", "helixcheck"}, {"version", HELIXCHECK_VERSION}, {"commit", project_commit()}};
  json["made"] = view.made;
  json["store"] = view.store;
  json["chosen"] = campaign.id;
  json["headline"] = headline(view);
  json["counts"] = {{"seen", counts.seen}, {"new", counts.fresh}};
  json["share_outside_cases"] = outside ? Json(*outside) : Json(nullptr);
  json["campaigns"] = Json::array();
  for (const CampaignRecord& one : view.campaigns) json["campaigns"].push_back(campaign_json(one));
  json["findings"] = Json::array();
  for (const FindingRecord* finding : in_order(view)) {
    json["findings"].push_back(finding_json(*finding, view));
  }
  json["progress"] = progress_json(view.progress);
  json["taps"] = taps_json(view.taps);
  json["coverage"] = coverage_json(view.pairs);
  add_lists(json, view);
  return json;
}

}  // namespace

std::string json_of(const CampaignView& view) {
  return document(view).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string compact_json_of(const CampaignView& view) {
  return document(view).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace helixcheck
