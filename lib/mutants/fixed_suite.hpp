// What the fixed-scenario test that this project grew from sees of the same mutants.

#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "campaign/corpus.hpp"
#include "mutants/half.hpp"
#include "subject/mutants/mutants.hpp"
#include "verdict/verdict.hpp"

namespace helixcheck {

// How a run of one of its scenarios is judged.
//   mismatch  by that test's tolerance, against two references: the same code on one rank, which is
//             what that test compares with, and the fp64 reference
//   bounds    by the proven bounds at every tap
enum class FixedVerdict { mismatch, bounds };

struct FixedRun {
  std::string scenario;
  double one_rank = 0;     // mismatch: share of values that miss against the code on one rank
  double independent = 0;  // the same against the fp64 reference
  bool killed = false;     // mismatch: by the first of them; bounds: by the verdict
  bool killed_independent = false;
  std::string sentence{};  // of the first failure; "" = none
};

struct FixedScore {
  const Mutant* mutant = nullptr;  // nullptr: the correct subject
  Half half = Half::tuning;
  std::vector<FixedRun> runs{};  // up to the first that kills (mismatch: in both ways)
  std::string blame{};           // bounds: stage of the first failure
  bool finished = false;         // it met all scenarios up to that: no interruption

  bool killed() const;
  bool killed_independent() const;  // mismatch only
  std::string killed_by() const;    // the first scenario that kills; "" = none
};

struct FixedOptions {
  FixedVerdict verdict = FixedVerdict::mismatch;
  int jobs = 1;
  std::function<bool()> interrupted{};
  std::function<void(const std::string& scenario, std::size_t done, std::size_t of)> progress{};
};

struct FixedReport {
  std::vector<std::string> scenarios;
  FixedScore correct;
  std::vector<FixedScore> scores;
  double total_seconds = 0;
  bool interrupted = false;
};

// Scenarios at `layer`, taken in the given order, and mutants of the CPU subject. Throws InputError
// for others.
FixedReport score_fixed(std::span<const Mutant* const> mutants,
                        const std::vector<CorpusEntry>& scenarios, const FixedOptions& options);

}  // namespace helixcheck
