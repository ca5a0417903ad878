// A campaign's accounts: up to date in memory, in the store as of the last checkpoint. What cannot
// be stored, since the disk is full, stays here and is tried again; nothing is lost while this
// process lives.

#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "campaign/statistics.hpp"
#include "fuzz/guidance.hpp"
#include "fuzz/wire.hpp"
#include "run/stopwatch.hpp"
#include "store/store.hpp"

namespace helixcheck {

class Books {
 public:
  using Say = std::function<void(const std::string&)>;

  // Goes on with the store's last campaign if that is not finished and is the same search as
  // `planned`; else begins `planned`. `fresh`: begins it in any case.
  Books(Store& store, CampaignRecord planned, bool fresh, Say say);

  const CampaignRecord& campaign() const { return campaign_; }
  bool resumed() const { return resumed_; }
  const Statistics& statistics() const { return statistics_; }
  const Totals& totals() const { return campaign_.totals; }
  double seconds() const { return before_ + watch_.seconds(); }  // of this campaign, all runs

  // Adds what a worker ran. Cases below `next_case` need not be run again after a restart.
  void add(const Answer& ran);
  void set_next_case(std::uint64_t next_case) { campaign_.next_case = next_case; }
  void set_findings(std::uint64_t distinct) { campaign_.totals.findings = distinct; }
  // Cases that were run by a worker which ended before it told what they showed.
  void count_untold(std::uint64_t cases) { campaign_.totals.cases += cases; }
  void count_restart() { ++campaign_.totals.restarts; }

  // Discoveries of all workers and earlier runs, in the order in which they came.
  const std::vector<Discovery>& discoveries() const { return discoveries_; }

  void save(const FindingRecord& finding);  // at once
  void remove_finding(const std::string& signature);
  void count(const std::string& signature, std::uint64_t cases);
  void add_event(const std::string& text);  // said to people, too

  // Now and then, and with `end` at the end: "finished" or "interrupted", after so many seconds of
  // searching over all runs.
  void checkpoint();
  void close(const std::string& end, double seconds);
  // Whether the store could not be written the last time.
  bool failing() const { return failing_; }
  // Whether something waits for a store that cannot be written.
  bool unsaved() const { return !pending_.empty() || !pending_counts_.empty() || counts_unsaved_; }

 private:
  void restore();
  void keep(const KeptCase& kept);
  void later(std::function<void()> change);
  bool flush();
  void write_counts();

  Store& store_;
  Say say_;
  CampaignRecord campaign_;
  bool resumed_ = false, failing_ = false, counts_unsaved_ = false;
  double before_ = 0;    // seconds of earlier runs
  double searched_ = 0;  // of all, once it has ended
  Stopwatch watch_;
  double last_sample_ = -1;
  std::uint64_t failed_stored_ = 0;
  Statistics statistics_;
  Guidance guidance_;  // for its totals
  std::vector<Discovery> discoveries_;
  std::deque<std::function<void()>> pending_;            // changes of the store
  std::map<std::string, std::uint64_t> pending_counts_;  // cases by signature: there may be many
};

}  // namespace helixcheck
