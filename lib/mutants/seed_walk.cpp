// Inputs are made when the first subject asks for them: only the equivalence does.

#include "mutants/seed_walk.hpp"

#include <memory>

#include "campaign/attribute.hpp"
#include "generate/case.hpp"
#include "mla/parallel.hpp"
#include "run/stopwatch.hpp"
#include "scenario/error.hpp"

namespace helixcheck {
namespace {

// Made once for a scenario, and never if they cannot be.
class SharedInputs {
 public:
  explicit SharedInputs(const Scenario& scenario) : scenario_(scenario) {}

  const Inputs* get() {
    if (asked_) return made_.get();
    asked_ = true;
    const Stopwatch watch;
    try {
      made_ = make_case(scenario_);
    } catch (const InputError&) {  // the run says so again
    }
    seconds_ = watch.seconds();
    return made_.get();
  }
  double seconds() const { return seconds_; }

 private:
  const Scenario& scenario_;
  std::unique_ptr<Inputs> made_;
  bool asked_ = false;
  double seconds_ = 0;
};

class Walker {
 public:
  Walker(std::uint64_t seed, std::span<const Subject* const> subjects)
      : subjects_(subjects), equivalence_(find_property("equivalence")) {
    walk_.seed = seed;
    walk_.results.resize(subjects.size());
    const CaseSource series(seed, {}, *subjects.front());
    for (const Subject* subject : subjects) sources_.emplace_back(series, *subject);
  }

  // False if nobody lives.
  bool meet(std::uint64_t index) {
    bool lives = false;
    const Stopwatch watch;
    const DrawnScenario drawn = sources_.front().draw(index).drawn;
    const double drawing = watch.seconds();
    SharedInputs inputs(drawn.scenario);
    for (std::size_t i = 0; i < subjects_.size(); ++i) {
      if (!alive(walk_.results[i])) continue;
      meet(i, sources_[i].with_property(index, drawn), drawing, inputs);
      lives = lives || alive(walk_.results[i]);
    }
    walk_.times.drawing += drawing;
    walk_.times.inputs += inputs.seconds();
    return lives;
  }

  Walk take() { return std::move(walk_); }

 private:
  static bool alive(const WalkResult& result) { return !result.killed && result.broken.empty(); }

  void meet(std::size_t i, Case met, double drawing, SharedInputs& inputs) {
    const Subject& subject = *subjects_[i];
    WalkResult& result = walk_.results[i];
    ++result.cases;
    result.seconds += drawing;
    if (met.property == nullptr) return;
    RunOptions run;
    if (met.property == &equivalence_) {
      run.inputs = inputs.get();
      result.seconds += inputs.seconds();
    }
    try {
      const Stopwatch watch;
      const auto shown = judged(met.drawn.scenario, *met.property, subject, run);
      walk_.times.running += watch.seconds();
      result.seconds += watch.seconds();
      if (!shown) return;
      const std::optional<Signature> signature = signature_of(*met.property, subject, *shown);
      if (!signature) return;
      result.killed = true;
      const RunOptions alone;
      result.failed = attributed(FailedCase{std::move(met), *shown->failure, *signature},
                                 run_case_here(subject, alone));
    } catch (const std::exception& error) {
      result.broken = error.what();
    }
  }

  const std::span<const Subject* const> subjects_;
  const Property& equivalence_;
  std::vector<CaseSource> sources_;
  Walk walk_;
};

}  // namespace

Walk walk_series(std::uint64_t seed, std::span<const Subject* const> subjects,
                 const WalkOptions& options) {
  const ThreadLimit one(1);
  Walker walker(seed, subjects);
  for (std::uint64_t index = 0; index < options.cases; ++index) {
    if (options.interrupted && options.interrupted()) break;
    if (!walker.meet(index)) break;
  }
  return walker.take();
}

}  // namespace helixcheck
