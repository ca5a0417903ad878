// How much of what is planted the search finds, how soon, and what it makes of it.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "campaign/finding.hpp"
#include "campaign/observation.hpp"
#include "mutants/half.hpp"
#include "mutants/seed_walk.hpp"
#include "shrink/shrinker.hpp"
#include "subject/mutants/mutants.hpp"

namespace helixcheck {

struct ScoreProgress {
  std::string doing;  // "searching", "shrinking merge_weight_base_2"
  std::uint64_t done = 0, of = 0;
};

struct ScoreOptions {
  std::uint64_t seeds = 20;    // 1 .. seeds
  std::uint64_t cases = 5000;  // of each seed
  int jobs = 1;
  ShrinkLimits shrink;  // its jobs are one: mutants are shrunk side by side
  std::function<FreshRun(const Mutant&)> fresh{};  // empty: everything happens in this process
  std::function<bool()> interrupted{};
  std::function<void(const ScoreProgress&)> progress{};  // from one thread at a time
};

struct SeedScore {
  std::uint64_t seed = 1;
  bool killed = false;
  std::uint64_t cases = 0;  // to the kill, or the budget; less only after an interruption
  double seconds = 0;
  std::string property{}, stage{};  // of the failure, attributed but not shrunk; "" = none
  std::string broken{};             // what ended the search without a verdict; "" = nothing
};

struct MutantScore {
  const Mutant* mutant = nullptr;
  Half half = Half::tuning;
  std::vector<SeedScore> seeds{};      // but those that an interruption left undecided
  std::optional<Finding> finding{};    // of the first seed that kills
  std::optional<Scenario> smallest{};  // the known one; empty: the registry's text is not valid
  std::string smallest_error{};
  bool smallest_fails = false;  // under the equivalence
  // The finding's scenario, which needs none before it, is as simple as the known smallest, which
  // fails; or simpler: then the registry's is not the smallest.
  bool as_small = false, smaller = false;
  bool finished = false;  // all seeds were walked and the finding is shrunk: no interruption

  bool killed() const;  // in every seed
  std::uint64_t median_cases()
      const;  // over the seeds; one that does not kill counts as its budget
  std::uint64_t worst_cases() const;
  double median_seconds() const;
  double worst_seconds() const;
  std::string blame() const;  // stage of the finding; "" = none
  bool blame_right() const;
};

struct FalseAlarm {
  std::uint64_t seed = 1, case_index = 0;
  std::string sentence;
};

struct ScoreReport {
  std::vector<MutantScore> scores;
  std::uint64_t correct_cases = 0;  // that the correct subject met, over all seeds
  std::vector<FalseAlarm> false_alarms;
  WalkTimes times;           // of all workers together
  double shrinking = 0;      // the same
  double total_seconds = 0;  // by the clock
  bool interrupted = false;
};

// All of one memory; the correct subject is `cpu` or `cuda` by it. Throws ResourceError where CUDA
// is needed and missing.
ScoreReport score_mutants(std::span<const Mutant* const> mutants, const ScoreOptions& options);

// What a set of scores comes to.
struct ScoreTotals {
  std::size_t total = 0, killed = 0;
  std::size_t blame_right = 0, locally_minimal = 0, as_small = 0;  // of those with a finding
  std::size_t findings = 0;
  std::size_t kills = 0, kills_blamed_right = 0;  // of all seeds, before shrinking
  std::uint64_t median_cases = 0;                 // over all seeds of all mutants
  std::uint64_t worst_cases = 0;
};
ScoreTotals totals_of(std::span<const MutantScore* const> scores);

}  // namespace helixcheck
