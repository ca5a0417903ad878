// `helixcheck shrink` and `helixcheck explain`: one failing scenario, made simpler or put into
// words.

#include <fmt/format.h>
#include <fstream>

#include "campaign/check.hpp"
#include "interrupt.hpp"
#include "mla/parallel.hpp"
#include "options.hpp"
#include "report/findings.hpp"
#include "report/json_report.hpp"
#include "scenario/error.hpp"
#include "searching.hpp"
#include "shrink/shrinker.hpp"
#include "targets.hpp"

namespace helixcheck {
namespace {

// One scenario that may fail, and how to ask about others like it.
class Failing {
 public:
  explicit Failing(const Options& options)
      : options_(options),
        entry_(chosen_scenario(options)),
        property_(find_property(entry_.property.empty() ? "equivalence" : entry_.property)),
        subject_(find_subject(options.subject)) {
    if (!entry_.before.empty()) {
      throw InputError(fmt::format(
          "scenario {} fails only after {} others, which check has shrunk along with it; replay it",
          entry_.scenario.name, entry_.before.size()));
    }
    if (!property_.applies(entry_.scenario, *subject_)) {
      throw InputError(fmt::format("property {} says nothing about scenario {} on subject {}: {}",
                                   property_.name, entry_.scenario.name, subject_->name(),
                                   property_.about));
    }
  }

  const Scenario& scenario() const { return entry_.scenario; }

  // The finding that the scenario makes, unless it passes.
  std::optional<Finding> find() const {
    const PropertyResult result = check(entry_.scenario);
    const auto signature = signature_of(property_, *subject_, result);
    if (!signature) return std::nullopt;
    Finding finding;
    finding.signature = *signature;
    finding.scenario = entry_.scenario;
    finding.blame = result.failure->blame;
    return finding;
  }

  FailingWith fails_with() const {
    return [this](const Scenario& scenario) -> std::optional<Signature> {
      if (!property_.applies(scenario, *subject_)) return std::nullopt;
      try {
        return signature_of(property_, *subject_, check(scenario));
      } catch (const InputError&) {  // cannot be judged: no failure
        return std::nullopt;
      }
    };
  }

  void update_blame(Finding& finding) const {
    const PropertyResult result = check(finding.scenario);
    if (result.failure) finding.blame = result.failure->blame;
  }

 private:
  PropertyResult check(const Scenario& scenario) const {
    const ThreadLimit one(1);
    RunOptions run;
    run.contract = options_.contract;
    run.repeat_failures = false;
    return property_.check(scenario, *subject_, run);
  }

  const Options& options_;
  const CorpusEntry entry_;
  const Property& property_;
  const std::unique_ptr<Subject> subject_;
};

int report_pass(const Failing& failing, const Options& options) {
  if (options.json) {
    fmt::print("{{\n  \"schema\": {},\n  \"verdict\": \"pass\"\n}}\n", kSchema);
    return kPass;
  }
  fmt::print("{} passes: nothing to shrink or to explain\n", failing.scenario().name);
  return kPass;
}

// A result that cannot be written has been printed, and stays a finding.
void write_output(const Finding& finding, const Options& options) {
  if (options.output.empty()) return;
  std::ofstream file(options.output, std::ios::binary);
  file << print_scenario_file(corpus_file(finding, options.subject));
  file.close();
  if (!file) fmt::print(stderr, "helixcheck: {}: cannot be written\n", options.output);
}

int report_finding(const Finding& finding, const Options& options) {
  fmt::print("{}",
             options.json ? json_of(finding, options.subject) : describe(finding, options.subject));
  write_output(finding, options);
  return kFinding;
}

}  // namespace

int shrink_verb(const Options& options) {
  watch_interrupts();
  const Failing failing(options);
  std::optional<Finding> finding = failing.find();
  if (!finding) return report_pass(failing, options);
  const ShrinkLimits limits = shrink_limits(options);
  const ShrinkResult shrunk =
      shrink(finding->scenario, finding->signature, failing.fails_with(), limits);
  finding->scenario = shrunk.scenario;
  finding->shrink_evaluations = shrunk.evaluations;
  finding->locally_minimal = shrunk.locally_minimal;
  finding->stopped_by = shrunk.stopped_by;
  failing.update_blame(*finding);
  finding->explanation =
      explain(finding->scenario, finding->signature, failing.fails_with(), limits);
  return report_finding(*finding, options);
}

int explain_verb(const Options& options) {
  watch_interrupts();
  const Failing failing(options);
  std::optional<Finding> finding = failing.find();
  if (!finding) return report_pass(failing, options);
  finding->explanation =
      explain(finding->scenario, finding->signature, failing.fails_with(), shrink_limits(options));
  if (!options.json) fmt::print("{}", describe(finding->explanation));
  return report_finding(*finding, options);
}

}  // namespace helixcheck
