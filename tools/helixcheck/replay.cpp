// `helixcheck replay`: scenarios of the corpus, one after the other, with a progress line and a
// summary table.

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <unistd.h>

#include "campaign/corpus.hpp"
#include "run/run.hpp"
#include "options.hpp"
#include "report/json_report.hpp"
#include "report/terminal.hpp"
#include "scenario/error.hpp"
#include "scenario/print.hpp"
#include "scenario/validate.hpp"
#include "worlds.hpp"

namespace helixcheck {
namespace {

std::vector<Scenario> chosen_scenarios(const Options& options) {
  const std::filesystem::path corpus =
      options.corpus.empty() ? default_corpus() : std::filesystem::path(options.corpus);
  std::vector<std::string> targets = options.targets;
  if (targets.empty()) targets.push_back(corpus.string());
  std::vector<Scenario> scenarios;
  for (CorpusEntry& entry :
       select_scenarios(find_scenarios(targets, corpus), options.select, options.without_labels)) {
    for (const auto& [option, value] : options.fields) {
      apply_argument(entry.scenario, option, value);
    }
    validate(entry.scenario);
    scenarios.push_back(std::move(entry.scenario));
  }
  return scenarios;
}

// On a terminal one line that is written over; elsewhere nothing, since the table grows line by
// line.
class Progress {
 public:
  explicit Progress(bool wanted) : shown_(wanted && isatty(STDERR_FILENO) == 1) {}
  void show(std::size_t done, std::size_t all, const std::string& name) const {
    if (shown_) fmt::print(stderr, "\r\x1b[K[{}/{}] {} ...", done + 1, all, name);
  }
  void clear() const {
    if (shown_) fmt::print(stderr, "\r\x1b[K");
  }

 private:
  bool shown_;
};

struct Tally {
  std::vector<RunResult> results;
  double seconds = 0;
  bool missing = false;  // a scenario could not run on this machine

  std::size_t failed() const {
    return static_cast<std::size_t>(std::count_if(
        results.begin(), results.end(), [](const RunResult& r) { return !r.verdict.pass; }));
  }
  int status() const { return failed() > 0 ? kFinding : missing ? kMissingResource : kPass; }
};

void replay_one(const Scenario& scenario, const Options& options, Worlds& worlds,
                const Subject& subject, std::size_t width, Tally& tally) {
  const std::unique_ptr<World> world = worlds.make(scenario);
  if (!world) return;
  RunResult result = run_scenario(scenario, *world, subject, RunOptions{options.contract, nullptr});
  if (!world->is_root()) return;
  result.argument = options.subject;
  tally.seconds += result.phases.total();
  if (!options.json) {
    fmt::print("{}", summary_line(result, width));
    std::fflush(stdout);
  }
  tally.results.push_back(std::move(result));
}

}  // namespace

int replay_verb(const Options& options) {
  std::vector<Scenario> scenarios = chosen_scenarios(options);
  Worlds worlds(options);
  std::size_t width = 8;
  for (Scenario& scenario : scenarios) {
    worlds.choose_world(scenario);
    require_memory(scenario);
    width = std::max(width, scenario.name.size());
  }
  if (const std::optional<int> status = worlds.relaunch(scenarios)) return *status;
  const std::unique_ptr<Subject> subject = find_subject(options.subject);
  const bool talks = worlds.is_root() && !options.json;
  const Progress progress(talks);
  Tally tally;
  if (talks) fmt::print("{}", summary_head(width));
  for (std::size_t i = 0; i < scenarios.size(); ++i) {
    progress.show(i, scenarios.size(), scenarios[i].name);
    try {
      replay_one(scenarios[i], options, worlds, *subject, width, tally);
    } catch (const ResourceError& error) {
      tally.missing = true;
      if (worlds.is_root())
        fmt::print(stderr, "helixcheck: {}: {}\n", scenarios[i].name, error.what());
    } catch (const SubjectError& error) {
      worlds.abort_job(kFinding, error.what());
      throw;
    }
    progress.clear();
  }
  if (!worlds.is_root()) return kPass;
  if (options.json) {
    fmt::print("{}", json_of(tally.results));
    return tally.status();
  }
  fmt::print("{} passed, {} failed, {:.1f} s\n", tally.results.size() - tally.failed(),
             tally.failed(), tally.seconds);
  for (const RunResult& result : tally.results) {
    if (!result.verdict.pass) fmt::print("\n{}", describe(result));
  }
  return tally.status();
}

}  // namespace helixcheck
