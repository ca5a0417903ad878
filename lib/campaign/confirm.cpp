// Order of trust: alone here and in a fresh process; then with the cases before it, in a fresh
// process if there is one. Only what fails with the same signature counts.

#include "campaign/confirm.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "mla/parallel.hpp"
#include "scenario/error.hpp"

namespace helixcheck {
namespace {

constexpr int kRepetitions = 3;

class Confirmation {
 public:
  Confirmation(const FailedCase& failed, const std::vector<Scenario>& predecessors,
               const RunCase& run_case, const ConfirmOptions& options)
      : failed_(failed),
        property_(*failed.at.property),
        predecessors_(predecessors),
        run_case_(run_case),
        options_(options) {
    wanted_ = failed.signature;
    if (wanted_.kind == "nondeterminism") wanted_.kind = kind_of_one_run();
    finding_ = finding_as_seen(failed);
    finding_.signature = wanted_;
  }

  Finding make() {
    if (fails_alone()) {
      shrink_alone();
      if (failed_.signature.kind == "nondeterminism") record_changing_results();
    } else if (!fails_after_predecessors()) {
      record_nondeterminism();
    }
    return finding_;
  }

 private:
  // What a failure whose repetition differs is when it is not repeated.
  std::string kind_of_one_run() const {
    const Blame& blame = failed_.failure.blame;
    if (property_.name == "equivalence") return blame.tap ? "value" : "error";
    return blame.tap || !blame.stage ? "relation" : "error";
  }
  std::optional<Observation> observed(const Scenario& scenario) const {
    return run_case_(scenario, property_, false);
  }
  std::optional<Signature> fails_here(const Scenario& scenario) const {
    const std::optional<Observation> seen = observed(scenario);
    return seen ? std::optional(seen->signature) : std::nullopt;
  }
  std::optional<Signature> fails_in_order(const std::vector<Scenario>& scenarios) const {
    if (options_.fresh) return options_.fresh(scenarios, property_);
    std::optional<Signature> last;
    for (const Scenario& scenario : scenarios) last = fails_here(scenario);
    return last;
  }

  bool fails_alone() {
    const Scenario& scenario = failed_.at.drawn.scenario;
    if (fails_here(scenario) != wanted_) return false;
    return fails_afresh(scenario);
  }

  // A process that cannot be run, or cannot say, is no witness.
  bool fails_afresh(const Scenario& scenario) {
    if (!options_.fresh) return true;
    try {
      return fails_in_order({scenario}) == wanted_;
    } catch (const ResourceError& error) {
      finding_.unconfirmed = error.what();
      return true;
    }
  }

  void shrink_alone() {
    const FailingWith fails = [this](const Scenario& s) { return fails_here(s); };
    const ShrinkResult shrunk = shrink(failed_.at.drawn.scenario, wanted_, fails, options_.limits);
    // What only fails here, after all the runs before it, is no scenario to keep.
    if (!fails_afresh(shrunk.scenario)) {
      if (!fails_after_predecessors()) record_nondeterminism();
      return;
    }
    finding_.scenario = shrunk.scenario;
    finding_.shrink_evaluations = shrunk.evaluations;
    finding_.locally_minimal = shrunk.locally_minimal;
    finding_.stopped_by = shrunk.stopped_by;
    finding_.explanation = explain(shrunk.scenario, wanted_, fails, options_.limits);
    if (const auto seen = observed(shrunk.scenario)) finding_.blame = seen->failure.blame;
  }

  bool fails_after_predecessors() {
    std::vector<Scenario> scenarios = predecessors_;
    scenarios.push_back(failed_.at.drawn.scenario);
    const auto fails = [this](const std::vector<Scenario>& s) { return fails_in_order(s); };
    for (int i = 0; i < 2; ++i) {
      if (fails(scenarios) != wanted_) return false;
    }
    ShrinkLimits limits = options_.limits;
    limits.jobs = 1;
    SequenceResult shrunk = shrink_sequence(scenarios, wanted_, fails, limits);
    finding_.shrink_evaluations = shrunk.evaluations;
    finding_.locally_minimal = shrunk.locally_minimal;
    finding_.stopped_by = shrunk.stopped_by;
    finding_.scenario = std::move(shrunk.scenarios.back());
    shrunk.scenarios.pop_back();
    finding_.before = std::move(shrunk.scenarios);
    return true;
  }

  std::string outcome(const std::optional<Signature>& signature) const {
    return signature ? "failed as " + to_text(*signature) : "passed";
  }
  std::string outcome_here(const Scenario& scenario) const {
    const std::optional<Observation> seen = observed(scenario);
    if (!seen) return outcome(std::nullopt);
    return fmt::format("{}: {}", outcome(seen->signature), seen->failure.blame.sentence);
  }

  // It always fails in the same way, but not always with the same bits.
  void record_changing_results() {
    if (!finding_.nondeterminism.empty()) return;
    const std::string one = outcome_here(finding_.scenario), two = outcome_here(finding_.scenario);
    if (one == two) return;
    finding_.nondeterminism = fmt::format("once {}; again {}", one, two);
    finding_.signature.kind = "nondeterminism";
  }

  void record_nondeterminism() {
    const Scenario& scenario = failed_.at.drawn.scenario;
    std::string text = fmt::format("first failed as {}: {}", to_text(failed_.signature),
                                   failed_.failure.blame.sentence);
    for (int i = 0; i < kRepetitions; ++i) {
      text += "; again here " + outcome_here(scenario);
    }
    if (options_.fresh) text += "; in a process of its own " + outcome(fails_in_order({scenario}));
    finding_.nondeterminism = text;
    finding_.signature.kind = "nondeterminism";
  }

  const FailedCase& failed_;
  const Property& property_;
  const std::vector<Scenario>& predecessors_;
  const RunCase& run_case_;
  const ConfirmOptions& options_;
  Signature wanted_;  // what a repetition must show
  Finding finding_;
};

}  // namespace

Finding finding_as_seen(const FailedCase& failed) {
  Finding finding;
  finding.signature = failed.signature;
  finding.case_index = failed.at.index;
  finding.scenario = failed.at.drawn.scenario;
  finding.blame = failed.failure.blame;
  return finding;
}

Finding make_finding(const FailedCase& failed, const std::vector<Scenario>& predecessors,
                     const RunCase& run_case, const ConfirmOptions& options) {
  try {
    return Confirmation(failed, predecessors, run_case, options).make();
  } catch (const std::exception& error) {
    Finding finding = finding_as_seen(failed);
    finding.unconfirmed = error.what();
    return finding;
  }
}

}  // namespace helixcheck
