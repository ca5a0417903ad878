// From a failure to a finding that is stored once: who has seen it before, what it becomes, and
// where it is kept.

#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "campaign/corpus.hpp"
#include "campaign/finding.hpp"
#include "fuzz/books.hpp"
#include "fuzz/triage.hpp"

namespace helixcheck {

class FindingsDesk {
 public:
  // `corpus`: findings are written below it; empty: nowhere. `subject`: as on the command line.
  FindingsDesk(Books& books, Triage& triage, std::filesystem::path corpus, std::string subject);

  // Findings of earlier nights: known ones need no triage; those that were never shrunk, since the
  // campaign was killed, get it now.
  void take_over(const std::vector<FindingRecord>& earlier, const std::vector<CorpusEntry>& corpus);
  // What this campaign has seen before it went on.
  void take_over(const std::vector<SightingRecord>& seen);

  // A case has failed. `output`: the end of what its worker had printed.
  void report(FailedRun failed, const std::string& output);
  // It was running when something ended that may not have been its fault: it is run again.
  void suspect(const CaseJournal::Entry& entry);
  // Suspected cases that were run again, whatever that showed, since the last call.
  std::vector<CaseJournal::Entry> take_settled();
  // Was it a signature's own doing that looked like a kill from outside?
  bool kills_itself(const Signature& signature) const;

  // What triage has found out meanwhile.
  void collect();

  // Found by this run of the campaign, in the order in which they were finished.
  const std::vector<Finding>& found() const { return found_; }
  // As seen, stored so, and waiting for triage.
  std::vector<Finding> waiting() const;
  std::size_t distinct() const { return counts_.size(); }  // signatures that this campaign has seen
  std::map<std::string, std::uint64_t> known_again() const;  // of earlier campaigns: cases

 private:
  void take_new(FailedRun failed, const std::string& output);
  bool adopt(const std::string& signature);
  void finish(TriageResult result);
  void remove_replaced(const std::string& as_seen, const std::filesystem::path& seen_file,
                       const std::filesystem::path& final_file);
  void finish_suspect(TriageResult result);
  FindingRecord record_of(const Finding& finding, const std::string& state,
                          const std::string& output) const;
  void count(const std::string& signature, std::uint64_t cases);

  Books& books_;
  Triage& triage_;
  std::filesystem::path corpus_;
  std::string subject_;
  std::vector<Finding> found_;
  std::set<std::string> known_;                   // final signatures with a record in the store
  std::set<std::string> earlier_;                 // of these, known before this run
  std::map<std::string, CorpusEntry> in_corpus_;  // by signature, without a record in the store
  struct Alias {
    std::string final;        // signature
    std::uint64_t cases = 1;  // that looked so
  };
  std::map<std::string, Alias> alias_;            // by signature as seen, where that differs
  std::map<std::string, std::uint64_t> waiting_;  // as seen, in triage: further cases
  std::map<std::string, Finding> seen_;           // those in triage, as seen
  std::set<std::string> unclear_;                 // unconfirmed by an earlier campaign
  std::map<std::string, std::vector<std::filesystem::path>> left_over_;  // by signature as seen
  std::set<std::string> killing_;  // as seen, by a kill that seemed from outside
  std::vector<CaseJournal::Entry> settled_;
  std::map<std::string, std::uint64_t> counts_;  // cases of this run, by final signature
};

}  // namespace helixcheck
