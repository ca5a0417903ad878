// Two rounds, each spread over the workers: seeds are walked, then mutants are shrunk. Neither
// depends on the number of workers, but for times.

#include "mutants/score.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>

#include "campaign/confirm.hpp"
#include "mutants/smallest.hpp"
#include "mutants/workers.hpp"
#include "run/stopwatch.hpp"
#include "scenario/error.hpp"

namespace helixcheck {
namespace {

template <typename Value>
Value median(std::vector<Value> values) {
  if (values.empty()) return {};
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

hxc_memory memory_of(std::span<const Mutant* const> mutants) {
  return mutants.empty() ? HXC_HOST : mutants.front()->memory();
}

class Scoring {
 public:
  Scoring(std::span<const Mutant* const> mutants, const ScoreOptions& options)
      : options_(options), correct_(base_subject(memory_of(mutants))) {
    subjects_.push_back(&correct_);
    for (const Mutant* mutant : mutants) {
      owned_.push_back(
          std::make_unique<Subject>(base_subject(mutant->memory()), &table_of(*mutant)));
      subjects_.push_back(owned_.back().get());
      MutantScore score;
      score.mutant = mutant;
      score.half = half_of(mutant->id);
      report_.scores.push_back(std::move(score));
    }
  }

  ScoreReport run() {
    const Stopwatch whole;
    walk_seeds();
    report_progress("shrinking", 0, report_.scores.size());
    std::atomic<std::size_t> done{0};
    on_workers(options_.jobs, report_.scores.size(), [&](std::size_t i) {
      if (stopped()) return;
      const Stopwatch watch;
      examine(i);
      const std::lock_guard lock(guard_);
      report_.shrinking += watch.seconds();
      report_progress("shrinking", ++done, report_.scores.size());
    });
    for (std::size_t i = 0; i < report_.scores.size(); ++i) {
      report_.scores[i].finished = is_finished(i);
    }
    report_.total_seconds = whole.seconds();
    report_.interrupted = stopped();
    return std::move(report_);
  }

 private:
  bool stopped() const { return options_.interrupted && options_.interrupted(); }
  void report_progress(std::string doing, std::uint64_t done, std::uint64_t of) const {
    if (options_.progress) options_.progress({std::move(doing), done, of});
  }

  bool is_finished(std::size_t i) const {
    const MutantScore& score = report_.scores[i];
    const bool walked = std::all_of(
        score.seeds.begin(), score.seeds.end(),
        [&](const SeedScore& seed) { return seed.killed || seed.cases == options_.cases; });
    const bool shrunk = score.finding && score.finding->stopped_by != "interrupt";
    return walked && score.seeds.size() == options_.seeds && (!failed_[i].second || shrunk);
  }

  void walk_seeds() {
    const auto seeds = static_cast<std::size_t>(options_.seeds);
    std::vector<Walk> walks(seeds);
    std::size_t done = 0;
    report_progress("searching", 0, seeds);
    const WalkOptions walk{options_.cases, options_.interrupted};
    on_workers(options_.jobs, seeds, [&](std::size_t i) {
      if (stopped()) return;
      walks[i] = walk_series(i + 1, subjects_, walk);
      const std::lock_guard lock(guard_);
      report_progress("searching", ++done, seeds);
    });
    failed_.resize(report_.scores.size());
    for (Walk& one : walks) take(one);
  }

  void take(Walk& walk) {
    if (walk.results.empty()) return;  // interrupted before it began
    report_.times.drawing += walk.times.drawing;
    report_.times.inputs += walk.times.inputs;
    report_.times.running += walk.times.running;
    const WalkResult& correct = walk.results.front();
    report_.correct_cases += correct.cases;
    if (correct.killed) {
      report_.false_alarms.push_back(
          {walk.seed, correct.failed->at.index, correct.failed->failure.blame.sentence});
    } else if (!correct.broken.empty()) {
      report_.false_alarms.push_back({walk.seed, correct.cases - 1, correct.broken});
    }
    for (std::size_t i = 0; i < report_.scores.size(); ++i) {
      WalkResult& result = walk.results[i + 1];
      const bool lives = !result.killed && result.broken.empty();
      if (lives && result.cases < options_.cases) continue;  // interrupted: it may yet be killed
      SeedScore seed{walk.seed, result.killed, result.cases, result.seconds};
      seed.broken = result.broken;
      if (!seed.broken.empty()) seed.cases = options_.cases;  // no kill, however soon it ended
      if (result.failed) {
        seed.property = result.failed->signature.property;
        seed.stage = result.failed->signature.stage;
        if (!failed_[i].second) failed_[i] = {walk.seed, std::move(result.failed)};
      }
      report_.scores[i].seeds.push_back(std::move(seed));
    }
  }

  // The first seed's failure as `check` would report it, and how it compares with what is known.
  void examine(std::size_t i) {
    MutantScore& score = report_.scores[i];
    const Subject& subject = *subjects_[i + 1];
    const RunOptions run;
    const RunCase run_case = run_case_here(subject, run);
    try {
      score.smallest = smallest_scenario(*score.mutant);
      score.smallest_fails =
          run_case(*score.smallest, find_property("equivalence"), false).has_value();
    } catch (const InputError& error) {
      score.smallest_error = error.what();
    }
    const auto& [seed, failed] = failed_[i];
    if (!failed) return;
    ConfirmOptions confirm{options_.shrink, {}};
    confirm.limits.jobs = 1;
    confirm.limits.interrupted = options_.interrupted;
    if (options_.fresh) confirm.fresh = options_.fresh(*score.mutant);
    score.finding =
        make_finding(*failed, predecessors(seed, failed->at.index, subject), run_case, confirm);
    if (!score.smallest || !score.smallest_fails || !score.finding->before.empty()) return;
    score.as_small = as_small(score.finding->scenario, *score.smallest);
    score.smaller = score.as_small && !as_small(*score.smallest, score.finding->scenario);
  }

  static std::vector<Scenario> predecessors(std::uint64_t seed, std::uint64_t index,
                                            const Subject& subject) {
    const CaseSource source(seed, {}, subject);
    std::vector<Scenario> scenarios;
    for (std::uint64_t i = index - std::min<std::uint64_t>(kPredecessors, index); i < index; ++i) {
      scenarios.push_back(source.draw(i).drawn.scenario);
    }
    return scenarios;
  }

  const ScoreOptions& options_;
  const Subject correct_;
  std::vector<std::unique_ptr<Subject>> owned_;
  std::vector<const Subject*> subjects_;  // the correct one, then the mutants
  std::vector<std::pair<std::uint64_t, std::optional<FailedCase>>> failed_;  // seed; by mutant
  std::mutex guard_;
  ScoreReport report_;
};

}  // namespace

bool MutantScore::killed() const {
  return !seeds.empty() &&
         std::all_of(seeds.begin(), seeds.end(), [](const SeedScore& seed) { return seed.killed; });
}

std::uint64_t MutantScore::median_cases() const {
  std::vector<std::uint64_t> values;
  for (const SeedScore& seed : seeds) values.push_back(seed.cases);
  return median(std::move(values));
}

std::uint64_t MutantScore::worst_cases() const {
  std::uint64_t worst = 0;
  for (const SeedScore& seed : seeds) worst = std::max(worst, seed.cases);
  return worst;
}

double MutantScore::median_seconds() const {
  std::vector<double> values;
  for (const SeedScore& seed : seeds) values.push_back(seed.seconds);
  return median(std::move(values));
}

double MutantScore::worst_seconds() const {
  double worst = 0;
  for (const SeedScore& seed : seeds) worst = std::max(worst, seed.seconds);
  return worst;
}

std::string MutantScore::blame() const {
  return finding && finding->blame.stage ? std::string(name_of(*finding->blame.stage)) : "";
}

bool MutantScore::blame_right() const {
  return blame() == stage_name(mutant->stage);
}

ScoreReport score_mutants(std::span<const Mutant* const> mutants, const ScoreOptions& options) {
  return Scoring(mutants, options).run();
}

ScoreTotals totals_of(std::span<const MutantScore* const> scores) {
  ScoreTotals totals;
  std::vector<std::uint64_t> cases;
  for (const MutantScore* score : scores) {
    ++totals.total;
    totals.killed += score->killed();
    for (const SeedScore& seed : score->seeds) {
      cases.push_back(seed.cases);
      totals.kills += seed.killed;
      totals.kills_blamed_right += seed.killed && seed.stage == stage_name(score->mutant->stage);
    }
    totals.worst_cases = std::max(totals.worst_cases, score->worst_cases());
    if (!score->finding) continue;
    ++totals.findings;
    totals.blame_right += score->blame_right();
    totals.locally_minimal += score->finding->locally_minimal;
    totals.as_small += score->as_small;
  }
  totals.median_cases = median(std::move(cases));
  return totals;
}

}  // namespace helixcheck
