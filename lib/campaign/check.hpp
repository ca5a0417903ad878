// The search: draw scenarios, check properties, and turn each new kind of failure into a finding.
//
// Case i is one scenario under one property and a function of (seed, i) alone, whatever the number
// of workers. The code under test runs in this process, or in the ranks of an MPI job below it.

#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "campaign/finding.hpp"
#include "campaign/observation.hpp"
#include "campaign/statistics.hpp"
#include "property/property.hpp"
#include "shrink/shrinker.hpp"

namespace helixcheck {

struct CheckProgress {
  std::uint64_t cases = 0, findings = 0;
  double seconds = 0, worst_ratio = 0;
  std::string doing;  // "checking", "shrinking equivalence/..."
};

struct CheckOptions {
  std::uint64_t seed = 1;
  std::uint64_t first = 0;              // index of the first case
  std::optional<std::uint64_t> cases;   // how many; none: until `seconds` are over
  std::optional<double> seconds;        // of searching; shrinking has limits of its own
  std::vector<std::string> properties;  // by name; empty: all
  int jobs = 1;
  int mpi_ranks = 0;     // scenarios are for a job of so many ranks, see run.elsewhere; 0: `sim`
  int max_findings = 5;  // the search ends when it has that many
  ShrinkLimits shrink;   // its jobs and interrupt are those of the search
  RunOptions run;
  std::filesystem::path corpus;  // findings are stored below it; empty: nowhere
  std::string subject_argument;  // how the command line names the subject
  FreshRun fresh;                // empty: everything happens in this process
  std::function<bool()> interrupted;
  std::function<void(const CheckProgress&)> progress;
};

struct CheckReport {
  Statistics statistics;
  std::vector<Finding> findings;  // in the order of their cases
  double seconds = 0;             // of searching, without shrinking
  double total_seconds = 0;
  bool interrupted = false;
  bool device_lost = false;  // a fault ended the search: its finding could not be shrunk
};

// Throws InputError for a property or contract that does not exist.
CheckReport check(const Subject& subject, const CheckOptions& options);

}  // namespace helixcheck
