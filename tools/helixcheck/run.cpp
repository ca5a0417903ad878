// `helixcheck run`: one scenario, from a file, a name or the options.

#include "run/run.hpp"

#include <filesystem>
#include <fmt/format.h>

#include "campaign/corpus.hpp"
#include "options.hpp"
#include "report/json_report.hpp"
#include "report/tap_listener.hpp"
#include "report/terminal.hpp"
#include "scenario/error.hpp"
#include "scenario/names.hpp"
#include "scenario/print.hpp"
#include "scenario/validate.hpp"
#include "worlds.hpp"

namespace helixcheck {
namespace {

// A name that stands in several folders of the corpus must mean one scenario.
Scenario base_scenario(const Options& options) {
  if (options.targets.empty()) return Scenario{};
  const std::filesystem::path corpus =
      options.corpus.empty() ? default_corpus() : std::filesystem::path(options.corpus);
  const std::vector<CorpusEntry> found = find_scenarios(options.targets, corpus);
  for (const CorpusEntry& entry : found) {
    if (entry.scenario.problem == found.front().scenario.problem &&
        entry.scenario.layout == found.front().scenario.layout &&
        entry.scenario.run == found.front().scenario.run &&
        entry.scenario.script == found.front().scenario.script) {
      continue;
    }
    throw InputError(fmt::format("'{}' names more than one scenario: {} and {}; name the file",
                                 options.targets.front(), found.front().file.string(),
                                 entry.file.string()));
  }
  return found.front().scenario;
}

Scenario scenario_of(const Options& options) {
  Scenario scenario = base_scenario(options);
  for (const auto& [option, value] : options.fields) apply_argument(scenario, option, value);
  if (!options.fields.empty() || scenario.name.empty()) scenario.name = short_name(scenario);
  validate(scenario);
  return scenario;
}

}  // namespace

int run_verb(const Options& options) {
  const Scenario given = scenario_of(options);
  Worlds worlds(options);
  Scenario scenario = given;
  worlds.choose_world(scenario);
  require_memory(scenario);
  if (const std::optional<int> status = worlds.relaunch({scenario})) return *status;
  const std::unique_ptr<Subject> subject = find_subject(options.subject);
  const std::unique_ptr<World> world = worlds.make(scenario);
  if (!world) return kPass;
  std::optional<TapPrinter> printer;
  std::optional<TapDumper> dumper;
  if (options.verbose && world->is_root()) printer.emplace();
  if (!options.dump.empty() && world->is_root()) dumper.emplace(options.dump);
  RunOptions run_options{options.contract, nullptr};
  if (printer) run_options.listener = &*printer;
  if (dumper) run_options.listener = &*dumper;
  std::optional<ListenerPair> both;
  if (printer && dumper) run_options.listener = &both.emplace(&*printer, &*dumper);
  try {
    RunResult result = run_scenario(scenario, *world, *subject, run_options);
    result.argument = options.subject;
    if (!world->is_root()) return kPass;
    fmt::print("{}", options.json ? json_of(result) : describe(result));
    return result.verdict.pass ? kPass : kFinding;
  } catch (const SubjectError& error) {
    worlds.abort_job(kFinding, error.what());
    throw;
  }
}

}  // namespace helixcheck
