// What was found stands last, where a terminal leaves the reader.

#include "report/campaign_text.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "generate/compatibility.hpp"
#include "report/table.hpp"

namespace helixcheck {
namespace {

// What a subject printed must not steer the terminal: control characters become \xNN.
std::string printable(const std::string& text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    result += (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f
                  ? fmt::format("\\x{:02x}", byte)
                  : std::string(1, c);
  }
  return result;
}

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : printable(text);
}

std::string budget_text(const CampaignRecord& campaign) {
  std::string text;
  if (campaign.budget_seconds > 0) text += " of " + duration_text(campaign.budget_seconds);
  if (campaign.budget_cases > 0) text += fmt::format(" (budget {} cases)", campaign.budget_cases);
  return text;
}

std::string head(const CampaignView& view) {
  const CampaignRecord& campaign = view.campaign();
  const Totals& totals = campaign.totals;
  std::string text =
      fmt::format("campaign {} of {}: subject {}, seed {}, commit {}\n", campaign.id, view.store,
                  or_dash(campaign.subject), campaign.seed, or_dash(campaign.commit));
  text += fmt::format("  {} on {} ({})\n", or_dash(campaign.command), or_dash(campaign.host),
                      or_dash(campaign.machine));
  text +=
      fmt::format("  {}, {} to {}, {}{}\n", campaign.state, or_dash(campaign.started),
                  or_dash(campaign.ended), duration_text(totals.seconds), budget_text(campaign));
  text += fmt::format("  {}\n", headline(view));
  text += fmt::format(
      "  {} of {} feature pairs, {} triples, {} behaviours, {} cases kept; {} unjudged; {} "
      "restarts\n",
      totals.pairs, Compatibility::get().pairs(), totals.tuples, totals.behaviours,
      totals.interesting, totals.unjudged, totals.restarts);
  if (const std::optional<double> outside = share_outside_cases(campaign)) {
    text += fmt::format("  {:.1f} % of the workers' time outside cases\n", 100 * *outside);
  }
  return text;
}

std::string tap_line(const CampaignView& view) {
  if (view.taps.empty()) return "";
  std::string text = "worst error / bound by tap:";
  for (const TapRecord& tap : in_pipeline_order(view.taps))
    text += fmt::format(" {} {:.3g}", tap.tap, tap.worst_ratio);
  return text + "\n";
}

std::string finding_table(const CampaignView& view) {
  Table table{"findings", {"seen", "signature", "cases", "first seen", "last seen", "state"}, {}};
  for (const FindingRecord* finding : in_order(view)) {
    table.rows.push_back({std::string(name_of(novelty_of(*finding, view))),
                          printable(finding->signature), std::to_string(finding->count),
                          or_dash(finding->first_seen), or_dash(finding->last_seen),
                          or_dash(finding->state)});
  }
  return table.rows.empty() ? "" : "\n" + text_of(table);
}

std::string finding_text(const FindingRecord& finding) {
  std::string text =
      fmt::format("\n{}\n  {}\n", printable(finding.signature), printable(finding.blame));
  const auto add = [&text](const char* label, const std::string& value) {
    if (!value.empty()) text += fmt::format("  {}: {}\n", label, printable(value));
  };
  add("fails for", finding.explanation);
  add("note", finding.note);
  add("stored", finding.file);
  add("replay", finding.replay);
  return text;
}

}  // namespace

std::string describe(const CampaignView& view) {
  std::string text = head(view) + tap_line(view);
  for (const EventRecord& event : view.events) {
    text += fmt::format("  {} {}\n", event.time, printable(event.text));
  }
  text += finding_table(view);
  for (const FindingRecord* finding : in_order(view)) {
    if (seen_in_campaign(novelty_of(*finding, view))) text += finding_text(*finding);
  }
  return text;
}

}  // namespace helixcheck
