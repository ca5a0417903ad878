#include "fuzz/findings_desk.hpp"

#include <bit>
#include <fmt/format.h>
#include <utility>

#include "fuzz/observation_row.hpp"
#include "report/findings.hpp"
#include "scenario/error.hpp"
#include "scenario/json.hpp"

namespace helixcheck {
namespace {

namespace fs = std::filesystem;

std::string note_of(const Finding& finding) {
  if (!finding.unconfirmed.empty()) return "not confirmed: " + finding.unconfirmed;
  if (!finding.nondeterminism.empty()) return finding.nondeterminism;
  if (!finding.stopped_by.empty()) return "shrinking was ended by " + finding.stopped_by;
  return "";
}

std::string state_of(const Finding& finding) {
  if (!finding.unconfirmed.empty()) return "unconfirmed";
  return finding.signature.kind == "nondeterminism" ? "nondeterminism" : "confirmed";
}

}  // namespace

FindingsDesk::FindingsDesk(Books& books, Triage& triage, fs::path corpus, std::string subject)
    : books_(books), triage_(triage), corpus_(std::move(corpus)), subject_(std::move(subject)) {}

void FindingsDesk::take_over(const std::vector<FindingRecord>& earlier,
                             const std::vector<CorpusEntry>& corpus) {
  for (const FindingRecord& record : earlier) {
    const bool of_this_campaign = record.last_campaign == books_.campaign().id;
    if (record.state == "unconfirmed" && !of_this_campaign) {  // tonight it may be
      unclear_.insert(record.signature);
      continue;
    }
    if (record.state != "new") {
      known_.insert(record.signature);
      if (record.first_campaign != books_.campaign().id) earlier_.insert(record.signature);
      triage_.know(record.signature);
      continue;
    }
    try {
      const ScenarioFile file = parse_scenario_file(record.scenario_file, record.signature);
      FailedRun failed;
      failed.index = record.case_index;
      failed.scenario = file.scenario;
      failed.before = file.before;
      failed.property = record.property;
      failed.signature = {record.property, record.subject, record.kind, record.stage};
      failed.failure.kind = record.kind;
      failed.failure.blame.sentence = record.blame;
      take_new(std::move(failed), record.output);
    } catch (const InputError& error) {
      books_.add_event(fmt::format("an unfinished finding cannot be taken up: {}", error.what()));
    }
  }
  for (const CorpusEntry& entry : corpus) {
    if (entry.signature.empty() || known_.contains(entry.signature)) continue;
    // Stored as seen, or not understood: it is to be shrunk.
    if (waiting_.contains(entry.signature) || unclear_.contains(entry.signature)) {
      left_over_[entry.signature].push_back(entry.file);
      continue;
    }
    in_corpus_.emplace(entry.signature, entry);
    triage_.know(entry.signature);
  }
}

void FindingsDesk::take_over(const std::vector<SightingRecord>& seen) {
  for (const SightingRecord& sighting : seen) {
    if (!waiting_.contains(sighting.signature)) counts_.emplace(sighting.signature, 0);
  }
  books_.set_findings(counts_.size());
}

void FindingsDesk::count(const std::string& signature, std::uint64_t cases) {
  books_.count(signature, cases);
  counts_[signature] += cases;
  books_.set_findings(counts_.size());
}

// A finding that the corpus knows and this store has not seen yet.
bool FindingsDesk::adopt(const std::string& signature) {
  const auto entry = in_corpus_.find(signature);
  if (entry == in_corpus_.end()) return false;
  Finding finding;
  finding.signature = parse_signature(signature).value_or(Signature{});
  finding.scenario = entry->second.scenario;
  finding.before = entry->second.before;
  finding.file = entry->second.file;
  finding.blame.sentence = "as in " + finding.file.string();
  FindingRecord record = record_of(finding, "confirmed", "");
  record.count = 0;
  books_.save(record);
  known_.insert(signature);
  earlier_.insert(signature);
  in_corpus_.erase(entry);
  return true;
}

void FindingsDesk::report(FailedRun failed, const std::string& output) {
  std::string signature = to_text(failed.signature);
  if (const auto alias = alias_.find(signature); alias != alias_.end()) {
    // What looks the same need not be: the 2nd, 4th, 8th, ... such case is looked at as well.
    const bool again = std::has_single_bit(++alias->second.cases);
    if (again && !waiting_.contains(signature)) return take_new(std::move(failed), output);
    signature = alias->second.final;
  }
  if (known_.contains(signature) || adopt(signature)) return count(signature, 1);
  if (const auto waiting = waiting_.find(signature); waiting != waiting_.end()) {
    ++waiting->second;
    return;
  }
  take_new(std::move(failed), output);
}

void FindingsDesk::take_new(FailedRun failed, const std::string& output) {
  TriageJob job;
  job.failed.at.index = failed.index;
  job.failed.at.drawn.scenario = std::move(failed.scenario);
  job.failed.at.property = &find_property(failed.property);
  job.failed.failure = std::move(failed.failure);
  job.failed.signature = failed.signature;
  job.before = std::move(failed.before);
  job.output = output;
  const std::string signature = to_text(failed.signature);
  Finding as_seen = finding_as_seen(job.failed);
  as_seen.before = job.before;
  // The store first: a file alone would pass for a finding that is done with.
  books_.save(record_of(as_seen, "new", output));
  if (!corpus_.empty()) store_finding(as_seen, corpus_, subject_, kCrashing);
  seen_.insert_or_assign(signature, std::move(as_seen));
  waiting_.emplace(signature, 0);
  triage_.add(std::move(job));
}

void FindingsDesk::suspect(const CaseJournal::Entry& entry) {
  TriageJob job;
  job.only_suspected = true;
  job.entry = entry;
  try {
    job.failed.at.index = entry.index;
    job.failed.at.drawn.scenario = parse_scenario(entry.scenario, "the journal");
    job.failed.at.property = &find_property(entry.property);
  } catch (const InputError& error) {
    books_.add_event(
        fmt::format("a case that was interrupted cannot be repeated: {}", error.what()));
    settled_.push_back(entry);
    return;
  }
  triage_.add(std::move(job));
}

FindingRecord FindingsDesk::record_of(const Finding& finding, const std::string& state,
                                      const std::string& output) const {
  FindingRecord record;
  record.signature = to_text(finding.signature);
  record.property = finding.signature.property;
  record.subject = finding.signature.subject;
  record.kind = finding.signature.kind;
  record.stage = finding.signature.stage;
  record.state = state;
  record.last_seen = time_of_day();
  record.last_commit = books_.campaign().commit;
  record.last_campaign = books_.campaign().id;
  record.count = 1;
  record.case_index = finding.case_index;
  record.scenario_file = print_scenario_file(corpus_file(finding, subject_));
  record.blame = finding.blame.sentence;
  record.explanation = to_text(finding.explanation);
  record.note = note_of(finding);
  record.output = output;
  record.replay = replay_command(finding, subject_);
  record.file = finding.file.string();
  record.shrink_evaluations = finding.shrink_evaluations;
  record.locally_minimal = finding.locally_minimal;
  return record;
}

void FindingsDesk::collect() {
  while (std::optional<TriageResult> result = triage_.take_result()) finish(*std::move(result));
}

void FindingsDesk::finish_suspect(TriageResult result) {
  const std::string what = "a case that ran when a process was ended ";
  if (!result.unsure.empty()) {
    return books_.add_event(what + "cannot be run again: " + result.unsure);
  }
  if (result.repeated) {
    FailedRun failed;
    failed.index = result.entry.index;
    failed.scenario = std::move(result.repeated->at.drawn.scenario);
    failed.property = result.repeated->at.property->name;
    failed.failure = std::move(result.repeated->failure);
    failed.signature = result.repeated->signature;
    const std::string& sentence = failed.failure.blame.sentence;
    if (sentence.find("SIGKILL") != sentence.npos || sentence.find("SIGTERM") != sentence.npos) {
      killing_.insert(to_text(failed.signature));
    }
    report(std::move(failed), result.output);
  } else {
    books_.add_event(what + "passes when it is run again");
  }
  // A finding that waits for room in the store is not safe yet.
  if (!books_.failing()) settled_.push_back(std::move(result.entry));
}

std::vector<CaseJournal::Entry> FindingsDesk::take_settled() {
  return std::exchange(settled_, {});
}

bool FindingsDesk::kills_itself(const Signature& signature) const {
  return killing_.contains(to_text(signature));
}

std::vector<Finding> FindingsDesk::waiting() const {
  std::vector<Finding> findings;
  for (const auto& [signature, finding] : seen_) findings.push_back(finding);
  return findings;
}

// The file as seen, and what a run that was killed while it finished the same left behind.
void FindingsDesk::remove_replaced(const std::string& as_seen, const fs::path& seen_file,
                                   const fs::path& final_file) {
  std::vector<fs::path> replaced = std::exchange(left_over_[as_seen], {});
  if (!seen_file.empty()) replaced.push_back(seen_file);
  for (const fs::path& file : replaced) {
    const bool ours = file.parent_path().filename() == kCrashing;
    std::error_code ignored;
    if (ours && file.filename() != final_file.filename()) fs::remove(file, ignored);
  }
}

void FindingsDesk::finish(TriageResult result) {
  if (!result.finding) return finish_suspect(std::move(result));
  Finding& finding = *result.finding;
  const std::string as_seen = to_text(result.as_seen), final = to_text(finding.signature);
  std::uint64_t again = 0;
  if (const auto waiting = waiting_.find(as_seen); waiting != waiting_.end()) {
    again = waiting->second;
    waiting_.erase(waiting);
  }
  const fs::path seen_file = seen_[as_seen].file;
  seen_.erase(as_seen);
  // One failure's look may be another one's name: then it stays that.
  const bool renamed = as_seen != final && !known_.contains(as_seen);
  if (renamed) alias_[as_seen].final = final;
  alias_.erase(final);
  const bool described = known_.contains(final) || adopt(final);
  // The final file before the first one goes, and both before the store says that all is done.
  if (!described && !corpus_.empty()) store_finding(finding, corpus_, subject_, kCrashing);
  remove_replaced(as_seen, seen_file, described ? fs::path() : finding.file);
  if (!described) {
    books_.save(record_of(finding, state_of(finding), result.output));
    known_.insert(final);
    counts_[final] += 1;
    finding.seen_again = again;
    found_.push_back(finding);
    books_.add_event(fmt::format("found {}: {}", final, finding.blame.sentence));
  }
  if (renamed) {
    books_.remove_finding(as_seen);
    counts_.erase(as_seen);
  }
  if (described) again += 1;
  if (again > 0) count(final, again);
  books_.set_findings(counts_.size());
}

std::map<std::string, std::uint64_t> FindingsDesk::known_again() const {
  std::map<std::string, std::uint64_t> again;
  for (const auto& [signature, cases] : counts_) {
    if (cases > 0 && earlier_.contains(signature)) again[signature] = cases;
  }
  return again;
}

}  // namespace helixcheck
