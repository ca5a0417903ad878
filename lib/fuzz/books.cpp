#include "fuzz/books.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "fuzz/observation_row.hpp"
#include "helix/taps.hpp"

namespace helixcheck {
namespace {

constexpr double kSampleSeconds = 1;            // at most one passing case is stored in each
constexpr std::uint64_t kFailedCases = 10'000;  // stored by a run; more are sampled like the others

bool same_search(const CampaignRecord& a, const CampaignRecord& b) {
  const auto what = [](const CampaignRecord& c) {
    return std::tie(c.subject, c.contract, c.world, c.properties, c.guided);
  };
  return what(a) == what(b);
}

std::map<std::string, std::size_t> levels_by_text() {
  std::map<std::string, std::size_t> levels;
  for (std::size_t level = 0; level < level_count(); ++level) levels[level_text(level)] = level;
  return levels;
}

}  // namespace

Books::Books(Store& store, CampaignRecord planned, bool fresh, Say say)
    : store_(store), say_(std::move(say)), campaign_(std::move(planned)), guidance_(0) {
  const std::optional<CampaignRecord> last = store.last_campaign();
  const bool seed_fits = last && (campaign_.seed == 0 || campaign_.seed == last->seed);
  if (!fresh && last && last->state != "finished" && same_search(*last, campaign_) && seed_fits) {
    CampaignRecord merged = *last;
    merged.command = campaign_.command;
    merged.jobs = campaign_.jobs;
    merged.budget_seconds = campaign_.budget_seconds;
    merged.budget_cases = campaign_.budget_cases;
    merged.commit = campaign_.commit;
    merged.host = campaign_.host;
    merged.machine = campaign_.machine;
    campaign_ = std::move(merged);
    resumed_ = true;
    restore();
  } else {
    // Each night has a series of its own.
    if (campaign_.seed == 0) campaign_.seed = last ? static_cast<std::uint64_t>(last->id) + 1 : 1;
    campaign_.started = time_of_day();
    campaign_.id = store.begin_campaign(campaign_);
  }
  campaign_.state = "running";
  campaign_.ended.clear();
  store_.update_campaign(campaign_);
}

void Books::restore() {
  before_ = campaign_.totals.seconds;
  const std::map<std::string, std::size_t> levels = levels_by_text();
  for (const PairRecord& pair : store_.pairs(campaign_.id)) {
    const auto a = levels.find(pair.a), b = levels.find(pair.b);
    if (a == levels.end() || b == levels.end()) continue;  // of another version
    statistics_.restore_pair(a->second, b->second, pair.count);
  }
  for (const TapRecord& record : store_.taps(campaign_.id)) {
    for (std::size_t tap = 0; tap < kTapCount; ++tap) {
      if (record.tap != name_of(static_cast<Tap>(tap))) continue;
      for (const auto& [log2, cases] : record.cases) {
        statistics_.restore_ratios(static_cast<Tap>(tap), log2, cases, record.worst_ratio);
      }
    }
  }
  for (const InterestingRecord& record : store_.interesting(campaign_.id)) {
    if (record.genome.empty()) continue;
    Discovery discovery{genome_of(record.genome), {}, record.reason};
    guidance_.learn(discovery);
    discoveries_.push_back(std::move(discovery));
  }
}

void Books::add(const Answer& ran) {
  Totals& totals = campaign_.totals;
  statistics_.merge(ran.statistics);
  totals.cases += ran.statistics.cases();
  totals.unjudged += ran.statistics.unjudged() + ran.too_long;
  totals.subject_runs += ran.statistics.subject_runs();
  totals.busy_seconds += ran.busy_seconds;
  totals.worst_ratio = std::max(totals.worst_ratio, statistics_.worst_ratio());
  for (const KeptCase& kept : ran.kept) keep(kept);
  for (CaseRecord record : ran.sampled) {
    if (record.status == "failed" && failed_stored_ < kFailedCases) {
      ++failed_stored_;
    } else {
      if (seconds() < last_sample_ + kSampleSeconds) continue;
      last_sample_ = seconds();
    }
    record.campaign = campaign_.id;
    later([this, record] { store_.add_case(record); });
  }
}

void Books::keep(const KeptCase& kept) {
  guidance_.learn(kept.discovery);
  discoveries_.push_back(kept.discovery);
  InterestingRecord record{campaign_.id,  kept.index,    to_bytes(kept.discovery.genome),
                           kept.property, kept.scenario, kept.discovery.reason};
  later([this, record = std::move(record)] { store_.add_interesting(record); });
}

void Books::save(const FindingRecord& finding) {
  later([this, finding] { store_.save_finding(finding); });
  flush();
}

void Books::remove_finding(const std::string& signature) {
  later([this, signature] { store_.remove_finding(signature); });
  flush();
}

void Books::count(const std::string& signature, std::uint64_t cases) {
  pending_counts_[signature] += cases;
}

void Books::add_event(const std::string& text) {
  say_(text);
  const EventRecord event{campaign_.id, time_of_day(), text};
  later([this, event] { store_.add_event(event); });
}

void Books::later(std::function<void()> change) {
  pending_.push_back(std::move(change));
}

bool Books::flush() {
  if (pending_.empty() && pending_counts_.empty()) return true;
  try {
    store_.write([this] {
      for (const std::function<void()>& change : pending_) change();
      for (const auto& [signature, cases] : pending_counts_) {
        store_.count_finding(signature, campaign_.id, cases, time_of_day(), campaign_.commit);
      }
      // With the totals that are made of them: a kill must not part the two.
      if (counts_unsaved_) write_counts();
    });
  } catch (const StoreError& error) {
    if (!failing_) say_(fmt::format("{}; it is tried again until it works", error.what()));
    failing_ = true;
    return false;
  }
  pending_.clear();
  pending_counts_.clear();
  counts_unsaved_ = false;
  if (failing_) say_(fmt::format("{}: can be written again", store_.path().string()));
  failing_ = false;
  return true;
}

void Books::write_counts() {
  std::vector<TapRecord> taps;
  for (std::size_t i = 0; i < kTapCount; ++i) {
    const auto tap = static_cast<Tap>(i);
    TapRecord record{campaign_.id, std::string(name_of(tap)), statistics_.worst_ratios()[i], {}};
    for (int log2 = Statistics::kLowestLog2; log2 <= Statistics::kHighestLog2; ++log2) {
      const std::uint64_t cases = statistics_.cases_with_ratio(tap, log2);
      if (cases > 0) record.cases[log2] = cases;
    }
    if (!record.cases.empty()) taps.push_back(std::move(record));
  }
  std::vector<PairRecord> pairs;
  for (std::size_t a = 0; a < level_count(); ++a) {
    for (std::size_t b = a; b < level_count(); ++b) {
      const std::uint64_t count = statistics_.drawn(a, b);
      if (count > 0) pairs.push_back({campaign_.id, level_text(a), level_text(b), count});
    }
  }
  store_.save_taps(taps);
  store_.save_pairs(pairs);
}

void Books::checkpoint() {
  Totals& totals = campaign_.totals;
  totals.seconds = searched_ > 0 ? searched_ : seconds();
  totals.pairs = statistics_.pairs_drawn();
  const GuidanceTotals guided = guidance_.totals();
  // Of discoveries of an earlier run, only their levels are known.
  totals.tuples = std::max(totals.tuples, guided.tuples);
  totals.behaviours = std::max(totals.behaviours, guided.behaviours);
  totals.interesting = discoveries_.size();
  const ProgressRecord progress{campaign_.id, time_of_day(), totals};
  later([this, progress, campaign = campaign_] {
    store_.update_campaign(campaign);
    store_.add_progress(progress);
  });
  counts_unsaved_ = true;
  flush();
}

void Books::close(const std::string& end, double seconds) {
  campaign_.state = end;
  campaign_.ended = time_of_day();
  searched_ = seconds;
  checkpoint();
}

}  // namespace helixcheck
