// A campaign: a budgeted search that survives whatever the code under test does to it.
//
// The supervisor never runs code under test. It hands out cases to worker processes, takes what
// they report, notices how they end, and keeps the books. All of it is safe against being killed at
// any moment: findings and discoveries are in the store when they are known, cases in the journals
// before they run.

#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "campaign/corpus.hpp"
#include "campaign/finding.hpp"
#include "fuzz/worker_process.hpp"
#include "shrink/shrinker.hpp"
#include "store/records.hpp"

namespace helixcheck {

// For the status line.
struct CampaignStatus {
  Totals totals;
  double seconds_since_finding = 0;  // since the last new one; since the start if there is none
  double cases_per_second = 0;       // lately
  std::string worst_tap;
  std::size_t possible_pairs = 0;
  int workers = 0;
  std::string doing;  // what triage is at; "" = nothing
};

struct CampaignOptions {
  std::filesystem::path store;
  // Subject, contract, world, properties, guided, jobs, budgets, machine, command; a seed of 0 is
  // chosen. Budgets of a campaign that goes on are those given now, counted from its beginning.
  CampaignRecord plan;
  bool fresh = false;  // begin a campaign even if one could go on
  WorkerSetup worker;
  std::filesystem::path corpus;    // findings are written below it; empty: nowhere
  std::vector<CorpusEntry> start;  // scenarios of the corpus, run first
  std::size_t max_findings = 100;  // distinct ones of this run; then it ends
  double hire_pause = 1;           // seconds between attempts to start a process
  ShrinkLimits shrink;
  std::filesystem::path observations;  // a line of JSON for each case; empty: none
  std::function<bool()> interrupted;
  std::function<void(const CampaignStatus&)> status;  // about once a second
  std::function<void(const std::string&)> say;        // events, one line each
};

struct CampaignReport {
  CampaignRecord campaign;
  bool resumed = false, interrupted = false;
  std::vector<Finding> found;                  // new ones
  std::vector<Finding> waiting;                // as seen: they are confirmed when it goes on
  std::map<std::string, std::uint64_t> again;  // signatures of earlier campaigns: cases
  bool unsaved = false;                        // the store could not be written to the end
  std::string ended_by;                        // what ended it too early, besides people
};

// Throws InputError for a store that is none, ResourceError for one in use, on a full disk, and if
// workers are killed before their first case again and again, and SubjectError if the subject ends
// every worker before its first case.
CampaignReport run_campaign(const CampaignOptions& options);

}  // namespace helixcheck
