// What a store keeps of a campaign. Plain values: whoever writes or reads them needs no database.
//
// Times of day are UTC, "2026-11-22T20:15:03Z"; "" = not known or not yet. Durations are seconds.
// Ratios may be infinite or not a number.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace helixcheck {

// How far a campaign has come. Counts only grow.
struct Totals {
  double seconds = 0;       // of searching, over all runs of the campaign
  double busy_seconds = 0;  // of these, how long its workers were inside cases, summed over them
  std::uint64_t cases = 0, unjudged = 0, subject_runs = 0;
  std::uint64_t findings = 0;     // distinct signatures
  std::uint64_t pairs = 0;        // distinct pairs of feature levels drawn
  std::uint64_t tuples = 0;       // distinct triples of feature levels that were tried
  std::uint64_t behaviours = 0;   // distinct (tap, log2 of error / bound)
  std::uint64_t interesting = 0;  // cases kept because they showed something new
  std::uint64_t restarts = 0;     // of workers
  double worst_ratio = 0;         // error / bound, over all taps

  bool operator==(const Totals&) const = default;
};

struct CampaignRecord {
  std::int64_t id = 0;  // 1, 2, ... in its store
  std::string uid;      // random, made when it begins: the same campaign in merged stores
  std::string command;  // as it was typed
  std::string subject, contract, world;
  std::vector<std::string> properties;  // by name; empty: all
  std::uint64_t seed = 0;
  bool guided = true;
  int jobs = 1;
  double budget_seconds = 0;          // 0: none
  std::uint64_t budget_cases = 0;     // 0: none
  std::string commit, host, machine;  // machine: processors and devices, one line
  std::string started, ended;
  std::string state;            // "running" (or killed), "finished", "interrupted"
  std::uint64_t next_case = 0;  // cases below it have been handed out
  Totals totals;

  bool operator==(const CampaignRecord&) const = default;
};

// A row of the time series.
struct ProgressRecord {
  std::int64_t campaign = 0;
  std::string time;
  Totals totals;

  bool operator==(const ProgressRecord&) const = default;
};

// One failure, whatever the number of cases and nights that showed it.
struct FindingRecord {
  std::int64_t id = 0;
  std::string signature;  // "equivalence/cpu/value/attend"; the key
  std::string property, subject, kind, stage;
  std::string state;  // "new" (stored as seen), "confirmed", "unconfirmed", "nondeterminism"
  std::string first_seen, last_seen;
  std::string first_commit, last_commit;
  std::int64_t first_campaign = 0, last_campaign = 0;
  std::uint64_t count = 0;       // cases that showed it
  std::uint64_t case_index = 0;  // of the first, in its campaign's series
  std::string scenario_file;     // JSON as the corpus keeps it: scenario, predecessors, provenance
  std::string blame;             // one sentence
  std::string explanation;       // "fails for ..."
  std::string note;              // why unconfirmed, what differed, what ended the shrinking
  std::string output;            // the end of what the worker printed
  std::string replay;            // the command that repeats it
  std::string file;              // in the corpus; "" = not stored there
  std::int64_t shrink_evaluations = 0;
  bool locally_minimal = false;

  bool operator==(const FindingRecord&) const = default;
};

// That a campaign saw a finding. Counts and times of a FindingRecord are sums over these.
struct SightingRecord {
  std::string signature;
  std::int64_t campaign = 0;
  std::uint64_t count = 0;       // cases of the campaign that showed it
  std::uint64_t case_index = 0;  // of the first of them
  std::string first_seen, last_seen;
  std::string first_commit, last_commit;

  bool operator==(const SightingRecord&) const = default;
};

// A case as it was run; a sample of them is kept.
struct CaseRecord {
  std::int64_t campaign = 0;
  std::uint64_t index = 0;
  std::string time;
  std::string property;
  std::string status;  // "passed", "failed", "unjudged"
  std::string origin;  // "series", "mutation", "crossover", "corpus"
  std::string tap;     // with the worst ratio; "" = none was judged
  double ratio = 0;    // error / bound there
  double seconds = 0;
  std::string scenario;  // JSON

  bool operator==(const CaseRecord&) const = default;
};

// How close the values of a tap came to their bounds, over all cases of a campaign.
struct TapRecord {
  std::int64_t campaign = 0;
  std::string tap;
  double worst_ratio = 0;
  std::map<int, std::uint64_t> cases;  // by floor(log2(worst ratio of the case)), -60 for 0

  bool operator==(const TapRecord&) const = default;
};

// How often two levels of different features were drawn together; once with itself for a level.
struct PairRecord {
  std::int64_t campaign = 0;
  std::string a, b;  // "kvp 3", in the order of the features
  std::uint64_t count = 0;

  bool operator==(const PairRecord&) const = default;
};

// A case worth going on from, and what was new about it.
struct InterestingRecord {
  std::int64_t campaign = 0;
  std::uint64_t index = 0;
  std::vector<std::uint8_t> genome;  // see generate/genome.hpp; empty: only the scenario is known
  std::string property;
  std::string scenario;  // JSON
  std::string reason;    // "lse 2^-1", "3 new triples"

  bool operator==(const InterestingRecord&) const = default;
};

// What a person wants to know in the morning besides findings: restarts, full disks, noise.
struct EventRecord {
  std::int64_t campaign = 0;
  std::string time;
  std::string text;

  bool operator==(const EventRecord&) const = default;
};

}  // namespace helixcheck
