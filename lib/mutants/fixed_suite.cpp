// A scenario's inputs, references and the rows of its prompts are made once, by the correct
// subject; then the mutants run side by side. The tolerance is applied to the final values of each
// rank, as in lib/verdict/mismatch.hpp.

#include "mutants/fixed_suite.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <memory>
#include <mutex>

#include "generate/case.hpp"
#include "helix/pipeline.hpp"
#include "mla/formats.hpp"
#include "mla/parallel.hpp"
#include "mutants/given_prompt.hpp"
#include "mutants/workers.hpp"
#include "run/run.hpp"
#include "run/stopwatch.hpp"
#include "scenario/error.hpp"
#include "subject/cpu/subject.hpp"
#include "subject/subject.hpp"
#include "verdict/end_to_end.hpp"
#include "verdict/geometry.hpp"

namespace helixcheck {
namespace {

using Outputs = std::vector<std::vector<double>>;  // by step and rank, in order; what was shown

// Keeps the final values; where asked, the reference's and the prompts' rows besides.
class Finals : public Observer {
 public:
  explicit Finals(const Inputs& inputs, LatentRows* rows = nullptr, bool with_reference = false)
      : inputs_(inputs),
        geometry_(inputs.scenario()),
        reference_(inputs),
        rows_(rows),
        asked_(with_reference) {}

  void on_prompt(const PromptTaps& taps) override {
    if (rows_ != nullptr) rows_->on_prompt(taps);
  }
  void on_event(const Step&, const History&) override {}
  void on_step(const StepTaps& taps) override {
    for (const RankTaps& rank : taps.ranks) {
      const TapView& view = rank[static_cast<std::size_t>(Tap::output)];
      std::vector<double>& values = outputs.emplace_back();
      if (!view.present) continue;
      values.resize(static_cast<std::size_t>(view.elements()));
      decode_to(view.dtype, view.data, std::span<double>(values));
      values.resize(taps.rows.size() * static_cast<std::size_t>(geometry_.hidden));
    }
    if (!asked_) return;
    const StepView step(inputs_.scenario(), geometry_, taps);
    wanted.resize(outputs.size(), reference_.exact(step).output);
  }

  Outputs outputs, wanted;

 private:
  const Inputs& inputs_;
  const Geometry geometry_;
  EndToEnd reference_;
  LatentRows* const rows_;
  const bool asked_;
};

// The worst rank's and step's share; 1 if something was not shown.
double missed_share(const Outputs& got, const Outputs& want, const Run& run) {
  if (got.empty() || got.size() % want.size() != 0) return 1;
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const std::vector<double>& wanted = want[i * want.size() / got.size()];
    if (wanted.empty() || got[i].size() != wanted.size()) return 1;
    std::size_t missed = 0;
    for (std::size_t k = 0; k < wanted.size(); ++k) {
      const double error = std::abs(got[i][k] - wanted[k]);
      missed += !(error < run.atol + run.rtol * std::abs(wanted[k]));  // NaN misses
    }
    worst = std::max(worst, static_cast<double>(missed) / static_cast<double>(wanted.size()));
  }
  return worst;
}

// Prompts are filled by these stages: who overrides one must fill his own.
bool fills_prompts(const Subject& subject) {
  return subject.part_of(HXC_PROJECT).overridden || subject.part_of(HXC_APPEND).overridden;
}

Scenario on_one_rank(Scenario scenario) {
  scenario.layout.kvp = scenario.layout.tpa = 1;
  return scenario;
}

// One scenario, prepared.
class FixedScenario {
 public:
  FixedScenario(const CorpusEntry& entry, FixedVerdict verdict)
      : verdict_(verdict),
        computed_(make_case(entry.scenario)),
        computed_alone_(make_case(on_one_rank(entry.scenario))),
        given_(*computed_, rows_, computed_->scenario().layout),
        given_alone_(*computed_, rows_, computed_alone_->scenario().layout) {
    Finals finals(*computed_, &rows_, verdict == FixedVerdict::mismatch);
    run(Subject(cpu::subject()), *computed_, finals);
    wanted_ = std::move(finals.wanted);
  }

  FixedRun judge(const Subject& subject, std::string& blame) const {
    return verdict_ == FixedVerdict::mismatch ? by_tolerance(subject) : by_bounds(subject, blame);
  }

 private:
  static void run(const Subject& subject, const Inputs& inputs, Finals& finals) {
    const std::unique_ptr<World> world = make_sim_world(inputs.scenario());
    Pipeline(inputs, *world, subject).run(finals);
  }
  static Outputs outputs_of(const Subject& subject, const Inputs& inputs) {
    Finals finals(inputs);
    run(subject, inputs, finals);
    return std::move(finals.outputs);
  }

  const Inputs* inputs_for(const Subject& subject) const {
    if (fills_prompts(subject)) return computed_.get();
    return &given_;
  }
  const Inputs* inputs_alone_for(const Subject& subject) const {
    if (fills_prompts(subject)) return computed_alone_.get();
    return &given_alone_;
  }

  FixedRun by_tolerance(const Subject& subject) const {
    FixedRun result;
    result.scenario = computed_->scenario().name;
    const Run& rule = computed_->scenario().run;
    result.one_rank = result.independent = 1;  // of what fails before it shows something
    try {
      const Outputs got = outputs_of(subject, *inputs_for(subject));
      result.independent = missed_share(got, wanted_, rule);
      result.one_rank = missed_share(got, outputs_of(subject, *inputs_alone_for(subject)), rule);
    } catch (const SubjectError& error) {
      result.sentence = error.what();
    }
    result.killed = result.one_rank > rule.max_mismatch_ratio;
    result.killed_independent = result.independent > rule.max_mismatch_ratio;
    return result;
  }

  FixedRun by_bounds(const Subject& subject, std::string& blame) const {
    FixedRun result;
    result.scenario = computed_->scenario().name;
    RunOptions options;
    options.inputs = inputs_for(subject);
    options.repeat_failures = false;
    const Scenario& scenario = options.inputs->scenario();
    const std::unique_ptr<World> world = make_sim_world(scenario);
    const Verdict verdict = run_scenario(scenario, *world, subject, options).verdict;
    result.killed = !verdict.pass;
    if (verdict.pass || !verdict.blame) return result;
    result.sentence = verdict.blame->sentence;
    if (verdict.blame->stage) blame = name_of(*verdict.blame->stage);
    return result;
  }

  const FixedVerdict verdict_;
  const std::unique_ptr<Inputs> computed_, computed_alone_;
  LatentRows rows_;
  const GivenPrompt given_, given_alone_;
  Outputs wanted_;
};

bool is_decided(const FixedScore& score, FixedVerdict verdict) {
  return score.killed() && (verdict == FixedVerdict::bounds || score.killed_independent());
}

}  // namespace

bool FixedScore::killed() const {
  return std::any_of(runs.begin(), runs.end(), [](const FixedRun& run) { return run.killed; });
}

bool FixedScore::killed_independent() const {
  return std::any_of(runs.begin(), runs.end(),
                     [](const FixedRun& run) { return run.killed_independent; });
}

std::string FixedScore::killed_by() const {
  const auto by =
      std::find_if(runs.begin(), runs.end(), [](const FixedRun& run) { return run.killed; });
  return by == runs.end() ? "" : by->scenario;
}

FixedReport score_fixed(std::span<const Mutant* const> mutants,
                        const std::vector<CorpusEntry>& scenarios, const FixedOptions& options) {
  const Stopwatch whole;
  FixedReport report;
  std::vector<std::unique_ptr<Subject>> subjects;
  subjects.push_back(std::make_unique<Subject>(cpu::subject()));
  report.scores.emplace_back();  // the correct subject, for now
  for (const Mutant* mutant : mutants) {
    if (mutant->memory() != HXC_HOST) {
      throw InputError(fmt::format("mutant {}: the fixed suite runs on the host", mutant->id));
    }
    subjects.push_back(std::make_unique<Subject>(cpu::subject(), mutant->subject));
    report.scores.push_back({mutant, half_of(mutant->id)});
  }
  const auto stopped = [&] { return options.interrupted && options.interrupted(); };
  for (const CorpusEntry& entry : scenarios) {
    if (entry.scenario.problem.entry != Entry::layer) {
      throw InputError(fmt::format("scenario {}: the fixed suite's scenarios have entry layer",
                                   entry.scenario.name));
    }
    report.scenarios.push_back(entry.scenario.name);
    if (stopped()) continue;
    const FixedScenario scenario(entry, options.verdict);
    std::mutex guard;
    std::size_t done = 0;
    on_workers(options.jobs, subjects.size(), [&](std::size_t i) {
      FixedScore& score = report.scores[i];
      if (stopped()) return;
      if (!is_decided(score, options.verdict)) {
        score.runs.push_back(scenario.judge(*subjects[i], score.blame));
      }
      const std::lock_guard lock(guard);
      ++done;
      if (options.progress) options.progress(entry.scenario.name, done, subjects.size());
    });
  }
  for (FixedScore& score : report.scores) {
    score.finished = score.runs.size() == scenarios.size() || is_decided(score, options.verdict);
  }
  report.correct = std::move(report.scores.front());
  report.scores.erase(report.scores.begin());
  report.total_seconds = whole.seconds();
  report.interrupted = stopped();
  return report;
}

}  // namespace helixcheck
