#include "fuzz/summary.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "report/findings.hpp"
#include "report/json_report.hpp"
#include "scenario/json.hpp"

namespace helixcheck {
namespace {

double rate(const Totals& totals) {
  return totals.seconds > 0 ? static_cast<double>(totals.cases) / totals.seconds : 0;
}

// Of the workers' time.
double share_outside_cases(const CampaignRecord& campaign) {
  const double all = campaign.totals.seconds * std::max(campaign.jobs, 1);
  return all > 0 ? std::max(0.0, 1 - campaign.totals.busy_seconds / all) : 0;
}

}  // namespace

std::string describe(const CampaignReport& report, const std::string& subject) {
  const CampaignRecord& campaign = report.campaign;
  const Totals& totals = campaign.totals;
  std::string text = fmt::format(
      "campaign {}, seed {}, {}{}: {} cases in {:.0f} s, {:.0f}/s; {} unjudged; {} subject runs\n",
      campaign.id, campaign.seed, campaign.state, report.resumed ? " (gone on with)" : "",
      totals.cases, totals.seconds, rate(totals), totals.unjudged, totals.subject_runs);
  text += fmt::format(
      "{} pairs and {} triples of feature levels; {} cases kept; worst error / bound {:.3g}\n",
      totals.pairs, totals.tuples, totals.interesting, totals.worst_ratio);
  text += fmt::format("{} workers, {} restarts; {:.1f} % of their time outside of cases\n",
                      campaign.jobs, totals.restarts, 100 * share_outside_cases(campaign));
  text += fmt::format("{} new findings, {} known ones seen again\n", report.found.size(),
                      report.again.size());
  for (const auto& [signature, cases] : report.again) {
    text += fmt::format("  again, {} cases: {}\n", cases, signature);
  }
  std::size_t number = 0;
  for (const Finding& finding : report.found) {
    text += fmt::format("\nfinding {}, {}", ++number, describe(finding, subject));
  }
  if (!report.waiting.empty()) {
    text += "not confirmed yet, and taken up by the next campaign of this store:\n";
  }
  for (const Finding& finding : report.waiting) {
    text += fmt::format("  {}: {}\n", to_text(finding.signature), finding.blame.sentence);
  }
  if (!report.ended_by.empty()) text += fmt::format("ended early: {}\n", report.ended_by);
  if (report.unsaved) text += "the store could not be written to the end: it lacks what is above\n";
  return text;
}

std::string json_of(const CampaignReport& report, const std::string& subject) {
  const CampaignRecord& campaign = report.campaign;
  const Totals& totals = campaign.totals;
  nlohmann::ordered_json json;
  json["schema"] = kSchema;
  json["campaign"] = {{"id", campaign.id},
                      {"uid", campaign.uid},
                      {"seed", campaign.seed},
                      {"state", campaign.state},
                      {"subject", campaign.subject},
                      {"commit", campaign.commit},
                      {"jobs", campaign.jobs},
                      {"seconds", totals.seconds},
                      {"cases", totals.cases},
                      {"cases_per_second", rate(totals)},
                      {"unjudged", totals.unjudged},
                      {"subject_runs", totals.subject_runs},
                      {"pairs", totals.pairs},
                      {"triples", totals.tuples},
                      {"kept", totals.interesting},
                      {"restarts", totals.restarts},
                      {"worst_ratio", totals.worst_ratio},
                      {"share_outside_cases", share_outside_cases(campaign)}};
  json["resumed"] = report.resumed;
  json["interrupted"] = report.interrupted;
  json["findings"] = nlohmann::ordered_json::array();
  for (const Finding& finding : report.found) {
    json["findings"].push_back(nlohmann::ordered_json::parse(json_of(finding, subject)));
  }
  json["again"] = report.again;
  json["waiting"] = nlohmann::ordered_json::array();
  for (const Finding& finding : report.waiting) {
    json["waiting"].push_back(
        {{"signature", to_text(finding.signature)}, {"blame", finding.blame.sentence}});
  }
  json["unsaved"] = report.unsaved;
  json["ended_by"] = report.ended_by;
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace helixcheck
