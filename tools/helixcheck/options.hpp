// The parsed command line.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace helixcheck {

struct Options {
  std::string verb;
  std::vector<std::string> targets;                         // files, folders, names; list: kinds
  std::vector<std::pair<std::string, std::string>> fields;  // scenario options, in order
  std::string subject = "cpu";
  bool subject_given = false;
  std::optional<std::string> contract;
  std::string corpus;                       // "" = the default one
  std::vector<std::string> select;          // -k
  std::vector<std::string> without_labels;  // --without-label
  std::string dump;                         // folder, "" = none
  bool verbose = false;
  bool json = false;
  int hang_limit_s = 20;
  std::vector<std::string> properties;  // --property; run, shrink, explain: at most one
  std::uint64_t seed = 1;               // of the series of cases
  bool seed_given = false;              // fuzz: else the campaign's number is the seed
  std::uint64_t first = 0;              // check: index of the first case
  std::optional<std::uint64_t> cases;
  std::optional<double> seconds;     // --time
  int jobs = 0;                      // 0 = as many as cores, or 1 for a plug-in
  std::optional<double> min_judged;  // check: 0.1, with chosen properties 0
  std::optional<int> max_findings;   // check: 5, fuzz: 100
  std::int64_t shrink_evaluations = 4000;
  double shrink_seconds = 60;
  bool stats = false;
  std::string world = "sim";                     // check: where cases run
  int ranks = 4;                                 // check --world mpi
  bool store = true;                             // findings into the corpus
  std::string campaign_store = "campaign.db";    // fuzz
  bool fresh_campaign = false;                   // fuzz
  bool guided = true;                            // fuzz
  double case_seconds = 60;                      // fuzz
  std::optional<std::int64_t> memory_limit_mib;  // fuzz; none: three quarters for all workers
  std::string observations;                      // fuzz: file for a line a case, "" = none
  std::vector<std::int64_t> heads, batches, ctx_lens, kvps;  // bench: every combination
  std::string shapes;                                        // bench: a list by its name
  std::int64_t layers = 1;                                   // bench: of tokens a second
  std::optional<double> min_roof;                            // bench: per cent
  std::int64_t samples = 100;                                // bench
  double sample_seconds = 0.5;                               // bench
  bool warm_cache = false;                                   // bench
  bool record = true;                                        // bench
  std::uint64_t seeds = 20;                                  // mutants: 1 .. seeds
  std::string mutant_class, half;                            // mutants: only these, "" = all
  std::string memory;                                        // mutants: "host", "cuda"
  std::string suite = "search";                              // mutants
  std::string mutant_verdict = "bounds";                     // mutants
  int days_to_regression = 14;                               // corpus age
  std::string output;                    // shrink: file for the result; report: the page;
                                         // mutants: folder for what they are shrunk to
  std::string sarif;                     // report: file for the findings, "" = none
  std::optional<std::int64_t> campaign;  // report: its number; none: the last
  bool together = false;                 // report: all campaigns as one
  std::vector<std::string> arguments;    // all of argv, to start it again
};

// Parses argv. nullopt after --help or --version, which print and end with status 0. Throws
// InputError for anything it does not understand.
std::optional<Options> parse_command_line(int argc, const char* const* argv);

// Exit statuses.
inline constexpr int kPass = 0, kFinding = 1, kBadInput = 2, kMissingResource = 3;

// The verbs. Each returns an exit status or throws InputError or ResourceError.
int run_verb(const Options& options);
int replay_verb(const Options& options);
int check_verb(const Options& options);
int corpus_verb(const Options& options);
int fuzz_verb(const Options& options);
int shrink_verb(const Options& options);
int explain_verb(const Options& options);
int list_verb(const Options& options);
int merge_verb(const Options& options);
int mutants_verb(const Options& options);
int report_verb(const Options& options);
int bench_verb(const Options& options);
int doctor_verb(const Options& options);

}  // namespace helixcheck
