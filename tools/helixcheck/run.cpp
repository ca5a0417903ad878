// `helixcheck run`: one scenario, from a file, a name or the options.

#include "run/run.hpp"

#include <fmt/format.h>

#include "options.hpp"
#include "report/json_report.hpp"
#include "report/tap_listener.hpp"
#include "report/terminal.hpp"
#include "scenario/error.hpp"
#include "targets.hpp"
#include "worlds.hpp"

namespace helixcheck {

int run_verb(const Options& options) {
  const CorpusEntry given = chosen_scenario(options);
  Worlds worlds(options);
  Scenario scenario = given.scenario;
  worlds.choose_world(scenario);
  if (const std::optional<int> status = worlds.relaunch({scenario})) return *status;
  const std::unique_ptr<Subject> subject = find_subject(options.subject);
  require_memory(scenario);
  const std::unique_ptr<World> world = worlds.make(scenario);
  if (!world) return kPass;
  require_device_memory(scenario, *subject, *world);
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
    RunResult result = run_entry({given.file, scenario, given.before, given.property}, *world,
                                 *subject, run_options);
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
