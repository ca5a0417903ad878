// `helixcheck mutants`: what of the planted faults is found, by the search or by the fixed suite.

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <unistd.h>

#include "campaign/corpus.hpp"
#include "campaign/fresh_process.hpp"
#include "interrupt.hpp"
#include "mutants/fixed_suite.hpp"
#include "mutants/score.hpp"
#include "options.hpp"
#include "process/files.hpp"
#include "report/mutants_report.hpp"
#include "run/allocator.hpp"
#include "scenario/error.hpp"
#include "scenario/json.hpp"
#include "searching.hpp"
#include "targets.hpp"
#include "worlds.hpp"

namespace helixcheck {
namespace {

constexpr std::uint64_t kDefaultCases = 5000;

bool is_class(std::string_view name) {
  const std::span<const Mutant> all = mutants();
  return std::any_of(all.begin(), all.end(),
                     [&](const Mutant& mutant) { return name_of(mutant.mutant_class) == name; });
}

// Of which memory mutants are asked for: ids say it themselves.
hxc_memory chosen_memory(const Options& options) {
  hxc_memory memory = options.memory == name_of(HXC_CUDA) ? HXC_CUDA : HXC_HOST;
  if (options.memory.empty() && !options.targets.empty()) {
    memory = find_mutant(options.targets.front()).memory();
  }
  for (const std::string& id : options.targets) {
    const hxc_memory own = find_mutant(id).memory();
    if (own == memory) continue;
    throw InputError(
        fmt::format("mutant {} works on memory {}, others that are asked for on {}: "
                    "one call scores those of one memory",
                    id, name_of(own), name_of(memory)));
  }
  return memory;
}

std::vector<const Mutant*> chosen_mutants(const Options& options, hxc_memory memory) {
  if (!options.mutant_class.empty() && !is_class(options.mutant_class)) {
    throw InputError(
        fmt::format("--class: no mutant has the class '{}' (see helixcheck list "
                    "mutants)",
                    options.mutant_class));
  }
  std::vector<const Mutant*> chosen;
  for (const Mutant& mutant : mutants()) {
    const bool named = options.targets.empty() ||
                       std::find(options.targets.begin(), options.targets.end(), mutant.id) !=
                           options.targets.end();
    const bool of_class =
        options.mutant_class.empty() || name_of(mutant.mutant_class) == options.mutant_class;
    const bool of_half = options.half.empty() || name_of(half_of(mutant.id)) == options.half;
    const bool there = mutant.memory() == memory;
    if (named && of_class && of_half && there) chosen.push_back(&mutant);
  }
  if (chosen.empty()) throw InputError("no mutant is left by what was asked for");
  return chosen;
}

bool on_terminal(const Options& options) {
  return isatty(STDERR_FILENO) == 1 && !options.json;
}

void clear_line(const Options& options) {
  if (on_terminal(options)) fmt::print(stderr, "\r\x1b[K");
}

// A tree of their own: the corpus holds failures of code that should be right.
void store_findings(const ScoreReport& report, const std::string& folder) {
  for (const MutantScore& score : report.scores) {
    if (!score.finding) continue;
    const std::string id(score.mutant->id);
    ScenarioFile file = corpus_file(*score.finding, "mutant:" + id);
    const std::filesystem::path path = std::filesystem::path(folder) / (id + ".json");
    std::filesystem::create_directories(path.parent_path());
    write_whole(path, print_scenario_file(file));
  }
}

// What is known after an interruption is a finding all the same; who was not through is none.
template <typename Report>
int status_of(const Report& report, bool correct_passes) {
  const bool survivor =
      std::any_of(report.scores.begin(), report.scores.end(), [&report](const auto& one) {
        return !one.killed() && (one.finished || !report.interrupted);
      });
  if (survivor || !correct_passes) return kFinding;
  return report.interrupted ? kInterrupted : kPass;
}

int run_search(const Options& options, const std::vector<const Mutant*>& chosen) {
  ScoreOptions score;
  score.seeds = options.seeds;
  score.cases = options.cases.value_or(kDefaultCases);
  score.jobs = worker_count(options);
  score.shrink = shrink_limits(options);
  score.interrupted = interrupt_wished;
  score.fresh = [&options](const Mutant& mutant) {
    Options one = options;
    one.subject = "mutant:" + std::string(mutant.id);
    return fresh_runs(fresh_process(one));
  };
  if (on_terminal(options)) {
    score.progress = [](const ScoreProgress& now) {
      fmt::print(stderr, "\r\x1b[K{} {} of {}", now.doing, now.done, now.of);
    };
  }
  const ScoreReport report = score_mutants(chosen, score);
  clear_line(options);
  if (!options.output.empty()) store_findings(report, options.output);
  fmt::print("{}", options.json ? json_of(report) : describe(report));
  return status_of(report, report.false_alarms.empty());
}

int run_fixed(const Options& options, const std::vector<const Mutant*>& chosen) {
  const bool mismatch = options.mutant_verdict == "mismatch";
  const FixedVerdict verdict = mismatch ? FixedVerdict::mismatch : FixedVerdict::bounds;
  FixedOptions fixed;
  fixed.verdict = verdict;
  fixed.jobs = worker_count(options);
  fixed.interrupted = interrupt_wished;
  if (on_terminal(options)) {
    fixed.progress = [](const std::string& scenario, std::size_t done, std::size_t of) {
      fmt::print(stderr, "\r\x1b[K{}: {} of {}", scenario, done, of);
    };
  }
  const std::filesystem::path corpus = corpus_folder(options);
  const FixedReport report =
      score_fixed(chosen, find_scenarios({options.suite + "/"}, corpus), fixed);
  clear_line(options);
  fmt::print("{}", options.json ? json_of(report, verdict) : describe(report, verdict));
  return status_of(report, !report.correct.killed());
}

}  // namespace

int mutants_verb(const Options& given) {
  Options options = given;
  const hxc_memory memory = chosen_memory(options);
  options.subject = memory == HXC_CUDA ? "cuda" : "cpu";  // workers by default
  const std::vector<const Mutant*> chosen = chosen_mutants(options, memory);
  const bool search = options.suite == "search";
  if (search && options.mutant_verdict == "mismatch") {
    throw InputError(
        "--verdict mismatch: the search has no tolerance of that kind; add --suite "
        "fixed8");
  }
  if (!search && !options.output.empty()) {
    throw InputError("--output: a fixed suite shrinks nothing");
  }
  if (!search && memory != HXC_HOST) {
    throw InputError("--suite: mutants of device code are scored by the search alone");
  }
  watch_interrupts();
  keep_freed_memory();
  return search ? run_search(options, chosen) : run_fixed(options, chosen);
}

}  // namespace helixcheck
