// Failures become findings here, one after the other, while the workers go on: confirmed, shrunk
// and explained in a thread of its own, which runs nothing itself but orders it from a worker.

#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "campaign/confirm.hpp"
#include "fuzz/evaluator.hpp"

namespace helixcheck {

struct TriageJob {
  FailedCase failed;
  std::vector<Scenario> before;  // what ran before it in the same process
  std::string output;            // the end of what its worker printed
  // It was running when something was killed that may not have been its fault: it is only repeated.
  bool only_suspected = false;
  CaseJournal::Entry entry{};  // as the journal had it, then
};

struct TriageResult {
  Signature as_seen;
  std::optional<Finding> finding;      // nullopt: it was only suspected
  std::optional<FailedCase> repeated;  // then, if it fails again
  std::string unsure;                  // or if it could not be run again: why
  CaseJournal::Entry entry{};          // of the job
  bool known = false;                  // it is another sight of a failure that is known already
  std::string output;
};

class Triage {
 public:
  struct Options {
    ShrinkLimits limits;
    bool attributes = true;  // the equivalence is one of the chosen properties
    std::function<bool()> interrupted;
  };
  // What is interrupted before it is confirmed and shrunk gives no result: it is still to be done.
  Triage(const WorkerSetup& setup, const std::filesystem::path& journal, Options options);
  ~Triage();  // waits for the job at hand; `interrupted` ends that soon
  Triage(const Triage&) = delete;
  Triage& operator=(const Triage&) = delete;

  // Signatures that need no second finding.
  void know(const std::string& signature);
  void add(TriageJob job);
  std::optional<TriageResult> take_result();
  bool idle() const;          // nothing waits or is at work, and no result waits to be taken
  std::string doing() const;  // "shrinking equivalence/cpu/crash/attend"; "" = nothing

 private:
  void work();
  bool interrupted() const { return options_.interrupted && options_.interrupted(); }
  TriageResult judge(TriageJob job);
  void repeat(TriageJob job, TriageResult& result);
  TriageResult find(FailedCase failed, std::vector<Scenario> before, TriageResult result);

  Options options_;
  Evaluator evaluator_;
  mutable std::mutex guard_;
  std::condition_variable changed_;
  std::deque<TriageJob> waiting_;
  std::deque<TriageResult> results_;
  std::set<std::string> known_;
  std::string doing_;
  bool at_work_ = false, ending_ = false;
  std::thread thread_;
};

}  // namespace helixcheck
