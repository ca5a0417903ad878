// `helixcheck replay`: scenarios of the corpus, one after the other, with a progress line and a
// summary table.

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <unistd.h>

#include "device/cuda.hpp"
#include "options.hpp"
#include "report/json_report.hpp"
#include "report/terminal.hpp"
#include "scenario/error.hpp"
#include "scenario/names.hpp"
#include "scenario/print.hpp"
#include "scenario/validate.hpp"
#include "targets.hpp"
#include "worlds.hpp"

namespace helixcheck {
namespace {

bool on_gpu(const Options& options) {
  const auto names = cuda::subject_names();
  return std::find(names.begin(), names.end(), options.subject) != names.end();
}

// The options replace fields of every scenario.
void apply_fields(CorpusEntry& entry, const Options& options) {
  if (options.fields.empty()) return;
  Scenario& scenario = entry.scenario;
  const std::string name = scenario.name;
  for (const auto& [option, value] : options.fields) apply_argument(scenario, option, value);
  if (scenario.name == name) scenario.name = short_name(scenario);
  if (const auto error = find_error(scenario)) {
    throw InputError(
        fmt::format("{} with the options of this command: {}", entry.file.string(), *error));
  }
}

// Files that cannot be read are reported and left out.
std::vector<CorpusEntry> chosen_scenarios(const Options& options,
                                          std::vector<std::string>& damaged) {
  const std::filesystem::path corpus = corpus_folder(options);
  std::vector<std::string> targets = options.targets;
  if (targets.empty()) targets.push_back(corpus.string());
  std::vector<CorpusEntry> found = find_scenarios(targets, corpus, &damaged);
  if (found.empty()) throw InputError(fmt::format("{}", fmt::join(damaged, "\n")));
  std::vector<std::string> without_labels = options.without_labels;
  // The whole corpus on a CPU: without what would take it hours.
  if (options.targets.empty() && !on_gpu(options)) without_labels.emplace_back("gpu");
  std::vector<CorpusEntry> entries =
      select_scenarios(std::move(found), options.select, without_labels);
  for (CorpusEntry& entry : entries) apply_fields(entry, options);
  return entries;
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
  bool damaged = false;  // a file could not be read, or its scenario not be judged

  std::size_t failed() const {
    return static_cast<std::size_t>(std::count_if(
        results.begin(), results.end(), [](const RunResult& r) { return !r.verdict.pass; }));
  }
  int status() const {
    if (damaged) return kBadInput;
    return failed() > 0 ? kFinding : missing ? kMissingResource : kPass;
  }
};

void replay_one(const CorpusEntry& entry, const Options& options, Worlds& worlds,
                const Subject& subject, std::size_t width, Tally& tally) {
  require_memory(entry.scenario);
  const std::unique_ptr<World> world = worlds.make(entry.scenario);
  if (!world) return;
  require_device_memory(entry.scenario, subject, *world);
  RunResult result = run_entry(entry, *world, subject, RunOptions{options.contract, nullptr});
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
  std::vector<std::string> damaged;
  std::vector<CorpusEntry> entries = chosen_scenarios(options, damaged);
  Worlds worlds(options);
  std::size_t width = 8;
  std::vector<Scenario> scenarios;
  for (CorpusEntry& entry : entries) {
    worlds.choose_world(entry.scenario);
    width = std::max(width, entry.scenario.name.size());
    scenarios.push_back(entry.scenario);
  }
  if (const std::optional<int> status = worlds.relaunch(scenarios)) return *status;
  const std::unique_ptr<Subject> subject = find_subject(options.subject);
  const bool talks = worlds.is_root() && !options.json;
  const Progress progress(talks);
  Tally tally;
  tally.damaged = !damaged.empty();
  if (worlds.is_root()) {
    for (const std::string& line : damaged) fmt::print(stderr, "helixcheck: {}\n", line);
  }
  if (talks) fmt::print("{}", summary_head(width));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string& name = entries[i].scenario.name;
    progress.show(i, entries.size(), name);
    try {
      replay_one(entries[i], options, worlds, *subject, width, tally);
    } catch (const InputError& error) {  // the property or the subject does not take it
      tally.damaged = true;
      if (worlds.is_root()) fmt::print(stderr, "helixcheck: {}: {}\n", name, error.what());
    } catch (const ResourceError& error) {
      tally.missing = true;
      if (worlds.is_root()) fmt::print(stderr, "helixcheck: {}: {}\n", name, error.what());
    } catch (const SubjectError& error) {
      worlds.abort_job(kFinding, error.what());
      throw;
    }
    progress.clear();
    if (subject->memory().lost()) {
      const std::size_t left = entries.size() - i - 1;
      fmt::print(stderr, "helixcheck: the device was lost; {} scenarios were not run\n", left);
      break;
    }
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
