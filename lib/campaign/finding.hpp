// A finding: a failure that was confirmed, shrunk, explained and stored.

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "scenario/json.hpp"
#include "shrink/explain.hpp"
#include "shrink/signature.hpp"
#include "verdict/verdict.hpp"

namespace helixcheck {

struct Finding {
  Signature signature;
  Scenario scenario;             // shrunk
  std::vector<Scenario> before;  // runs it needs before it in the same process, shrunk; mostly none
  Blame blame;                   // of the shrunk scenario
  std::string nondeterminism;    // what the repetitions showed, where they differ; "" = nothing
  std::uint64_t case_index = 0;  // in the series that found it
  std::uint64_t seen_again = 0;  // later cases with the same signature
  std::int64_t shrink_evaluations = 0;
  bool locally_minimal = false;
  std::string unconfirmed;  // why it could not be confirmed or shrunk; "" = it was
  std::string stopped_by;   // what ended the shrinking early; "" = nothing
  Explanation explanation;
  std::filesystem::path file;  // where it is stored; empty if it could not be
  std::string not_stored;      // why not
};

// What the corpus keeps of a finding.
ScenarioFile corpus_file(const Finding& finding, const std::string& subject_argument);

// Folders of the corpus that hold findings: those that reproduce, those that have ceased to, and
// those that are fixed for good and guard against their return.
inline constexpr const char* kCrashing = "crashing";
inline constexpr const char* kIncubating = "incubating";
inline constexpr const char* kRegressions = "regressions";
// Findings of planted faults, which tell nothing about code that should be right.
inline constexpr const char* kMutants = "mutants";

// Writes it to a folder of the corpus, under a name made of property, stage and content, whole or
// not at all. A file of that name holds the same scenario and is replaced. Sets `file`, or
// `not_stored`.
void store_finding(Finding& finding, const std::filesystem::path& corpus,
                   const std::string& subject_argument, const char* folder = kRegressions);

}  // namespace helixcheck
