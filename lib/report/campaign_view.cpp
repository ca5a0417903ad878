// The order and the counts that every form of the report shares.

#include "report/campaign_view.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <tuple>

#include "helix/taps.hpp"

namespace helixcheck {
namespace {

// Gravest first. Kinds that are not listed rank between those that end a process and the others.
int rank_of_kind(std::string_view kind) {
  static constexpr std::string_view kUnlisted = "";
  static constexpr std::array<std::string_view, 11> kKinds{
      "sanitizer", "crash", "out_of_memory", "hang",     "exit",          "leak",
      kUnlisted,   "error", "value",         "relation", "nondeterminism"};
  auto found = std::find(kKinds.begin(), kKinds.end(), kind);
  if (found == kKinds.end()) found = std::find(kKinds.begin(), kKinds.end(), kUnlisted);
  return static_cast<int>(found - kKinds.begin());
}

}  // namespace

Novelty novelty_of(const FindingRecord& finding, const CampaignView& view) {
  const std::int64_t campaign = view.campaign().id;
  if (finding.first_campaign == campaign) return Novelty::fresh;
  const bool seen = std::any_of(
      view.sightings.begin(), view.sightings.end(), [&](const SightingRecord& sighting) {
        return sighting.campaign == campaign && sighting.signature == finding.signature;
      });
  if (seen) return Novelty::again;
  return finding.first_campaign > campaign ? Novelty::later : Novelty::earlier;
}

std::string_view name_of(Novelty novelty) {
  switch (novelty) {
    case Novelty::fresh: return "new";
    case Novelty::again: return "again";
    case Novelty::earlier: return "earlier";
    case Novelty::later: return "later";
  }
  return "unknown";
}

std::vector<const FindingRecord*> in_order(const CampaignView& view) {
  using Key = std::tuple<int, int, std::uint64_t, std::string>;
  std::vector<std::pair<Key, const FindingRecord*>> keyed;
  for (const FindingRecord& finding : view.findings) {
    const Key key(static_cast<int>(novelty_of(finding, view)), rank_of_kind(finding.kind),
                  ~finding.count, finding.signature);
    keyed.emplace_back(key, &finding);
  }
  std::sort(keyed.begin(), keyed.end());
  std::vector<const FindingRecord*> order;
  for (const auto& [key, finding] : keyed) order.push_back(finding);
  return order;
}

FindingCounts count_findings(const CampaignView& view) {
  FindingCounts counts;
  for (const FindingRecord& finding : view.findings) {
    const Novelty novelty = novelty_of(finding, view);
    counts.fresh += novelty == Novelty::fresh ? 1 : 0;
    counts.seen += seen_in_campaign(novelty) ? 1 : 0;
  }
  return counts;
}

std::optional<double> share_outside_cases(const CampaignRecord& campaign) {
  const double workers = campaign.totals.seconds * std::max(campaign.jobs, 1);
  if (!(workers > 0)) return std::nullopt;
  return std::clamp(1 - campaign.totals.busy_seconds / workers, 0.0, 1.0);
}

std::string headline(const CampaignView& view) {
  const Totals& totals = view.campaign().totals;
  const FindingCounts counts = count_findings(view);
  std::string text = counts.seen == 0
                         ? std::string("No findings")
                         : fmt::format("{} finding{}", counts.seen, counts.seen == 1 ? "" : "s");
  if (counts.seen > 0) {
    text += counts.fresh == 0 ? std::string(", none of them new")
            : counts.fresh < counts.seen
                ? fmt::format(", {} of them new", counts.fresh)
                : std::string(counts.seen == 1 ? ", and it is new" : ", all of them new");
  }
  text += fmt::format(", in {} cases", totals.cases);
  if (totals.seconds > 0) {
    text +=
        fmt::format(": {:.{}f} cases/s for {}", static_cast<double>(totals.cases) / totals.seconds,
                    static_cast<double>(totals.cases) < 10 * totals.seconds ? 1 : 0,
                    duration_text(totals.seconds));
  }
  return text;
}

std::string duration_text(double seconds) {
  if (!(seconds >= 60)) return fmt::format("{:.3g} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::lround(std::min(seconds, 1e12)));
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

std::vector<ProgressRecord> thinned(const std::vector<ProgressRecord>& rows, std::size_t most) {
  if (rows.size() <= most) return rows;
  std::vector<ProgressRecord> kept;
  for (std::size_t i = 0; i < most; ++i) kept.push_back(rows[i * (rows.size() - 1) / (most - 1)]);
  return kept;
}

int place_in_pipeline(std::string_view tap) {
  int place = 0;
  while (place < kTapCount && name_of(static_cast<Tap>(place)) != tap) ++place;
  return place;
}

std::vector<TapRecord> in_pipeline_order(std::vector<TapRecord> taps) {
  std::stable_sort(taps.begin(), taps.end(), [](const TapRecord& a, const TapRecord& b) {
    return place_in_pipeline(a.tap) < place_in_pipeline(b.tap);
  });
  return taps;
}

std::vector<const CaseRecord*> telling_cases(const CampaignView& view, std::size_t most) {
  std::vector<const CaseRecord*> cases;
  for (const CaseRecord& one : view.cases) cases.push_back(&one);
  const auto key = [](const CaseRecord* one) {
    const double ratio = std::isnan(one->ratio) ? INFINITY : one->ratio;
    return std::tuple(one->status != "failed", -ratio, one->index);
  };
  std::sort(cases.begin(), cases.end(),
            [&key](const CaseRecord* a, const CaseRecord* b) { return key(a) < key(b); });
  cases.resize(std::min(cases.size(), most));
  return cases;
}

}  // namespace helixcheck
