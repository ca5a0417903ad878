// Findings are replayed under the property they broke, after the runs they needed.

#include "targets.hpp"

#include <fmt/format.h>

#include "campaign/check.hpp"
#include "run/stopwatch.hpp"
#include "scenario/error.hpp"
#include "scenario/names.hpp"
#include "scenario/print.hpp"
#include "scenario/validate.hpp"
#include "subject/instance_keeper.hpp"

namespace helixcheck {
namespace {

constexpr std::string_view kEquivalence = "equivalence";

// A name that stands in several folders of the corpus must mean one scenario.
CorpusEntry base_entry(const Options& options) {
  if (options.targets.empty()) return {};
  const std::vector<CorpusEntry> found = find_scenarios(options.targets, corpus_folder(options));
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
  return found.front();
}

void run_before(const CorpusEntry& entry, const Subject& subject, const RunOptions& options) {
  const Property& property = find_property(entry.property.empty() ? kEquivalence : entry.property);
  for (const Scenario& scenario : entry.before) {
    if (!property.applies(scenario, subject)) continue;
    InstanceKeeper::current()->next_scenario();
    try {
      property.check(scenario, subject, options);
    } catch (const InputError&) {  // hides too much to be judged; it has run
    }
  }
}

RunResult run_property(const CorpusEntry& entry, const Property& property, const Subject& subject,
                       const RunOptions& options) {
  if (!property.applies(entry.scenario, subject)) {
    throw InputError(fmt::format("property {} says nothing about scenario {} on subject {}: {}",
                                 property.name, entry.scenario.name, subject.name(),
                                 property.about));
  }
  const Stopwatch watch;
  PropertyResult checked = property.check(entry.scenario, subject, options);
  RunResult result;
  result.scenario = entry.scenario;
  result.subject = subject.name();
  result.property = std::string(property.name);
  result.output_hash = checked.output_hash;
  result.verdict.taps = std::move(checked.taps);
  result.phases.subject = watch.seconds();
  if (const auto signature = signature_of(property, subject, checked)) {
    result.signature = to_text(*signature);
    result.verdict.pass = false;
    result.verdict.blame = checked.failure->blame;
  }
  return result;
}

}  // namespace

std::filesystem::path corpus_folder(const Options& options) {
  return options.corpus.empty() ? default_corpus() : std::filesystem::path(options.corpus);
}

CorpusEntry chosen_scenario(const Options& options) {
  CorpusEntry entry = base_entry(options);
  Scenario& scenario = entry.scenario;
  for (const auto& [option, value] : options.fields) apply_argument(scenario, option, value);
  if (!options.fields.empty() || scenario.name.empty()) scenario.name = short_name(scenario);
  validate(scenario);
  if (options.properties.size() > 1) {
    throw InputError(fmt::format("--property is given {} times, but this verb takes one",
                                 options.properties.size()));
  }
  if (!options.properties.empty()) entry.property = options.properties.front();
  if (!entry.property.empty()) find_property(entry.property);
  return entry;
}

RunResult run_entry(const CorpusEntry& entry, World& world, const Subject& subject,
                    const RunOptions& options) {
  if (!entry.before.empty()) {
    // Once only: a repetition would come after another run than the file says.
    RunOptions once = options;
    once.repeat_failures = false;
    const InstanceKeeper keeper;  // as in the campaign that met it
    run_before(entry, subject, once);
    InstanceKeeper::current()->next_scenario();
    return run_entry({entry.file, entry.scenario, {}, entry.property}, world, subject, once);
  }
  if (!entry.property.empty() && entry.property != kEquivalence) {
    return run_property(entry, find_property(entry.property), subject, options);
  }
  RunResult result = run_scenario(entry.scenario, world, subject, options);
  if (world.is_root() && !result.verdict.pass) {
    const Property& property = find_property(kEquivalence);
    result.signature = to_text(*signature_of(property, subject, equivalence_result(result)));
  }
  return result;
}

}  // namespace helixcheck
