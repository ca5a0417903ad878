// Both searches run the same equivalence in this process, without the repetition of failures.

#include "search_trials.hpp"

#include <algorithm>
#include <ctime>
#include <memory>
#include <new>

#include "campaign/case_source.hpp"
#include "mla/parallel.hpp"
#include "rare_faults.hpp"
#include "scenario/error.hpp"
#include "subject/cpu/subject.hpp"
#ifdef HELIXCHECK_GUIDANCE
#include "fuzz/guidance.hpp"
#endif

namespace helixcheck {
namespace {

// Of this thread, so that what else the machine does counts little.
double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Nothing where the case cannot be judged, as in `helixcheck check`.
std::optional<PropertyResult> judged(const Scenario& scenario, const Subject& subject) {
  static const Property& equivalence = find_property("equivalence");
  RunOptions options;
  options.repeat_failures = false;
  try {
    return equivalence.check(scenario, subject, options);
  } catch (const InputError&) {
  } catch (const ResourceError&) {
  } catch (const std::bad_alloc&) {
  }
  return std::nullopt;
}

bool fails(const Scenario& scenario, const Subject& subject) {
  const std::optional<PropertyResult> result = judged(scenario, subject);
  return result && result->failure;
}

// A search as a function of a case's number: whether it fails.
class Series {
 public:
  Series(const Subject& subject, std::uint64_t seed)
      : subject_(subject), source_(seed, {"equivalence"}, subject) {}
  bool fails(std::uint64_t index) {
    return helixcheck::fails(source_.draw(index).drawn.scenario, subject_);
  }

 private:
  const Subject& subject_;
  const CaseSource source_;
};

#ifdef HELIXCHECK_GUIDANCE
class Guided {
 public:
  Guided(const Subject& subject, std::uint64_t seed) : subject_(subject), guidance_(seed) {}
  bool fails(std::uint64_t index) {
    const Proposal proposal = guidance_.propose(index);
    const std::optional<PropertyResult> result = judged(proposal.drawn.scenario, subject_);
    guidance_.learn(
        proposal, result ? std::span<const TapResult>(result->taps) : std::span<const TapResult>());
    return result && result->failure;
  }

 private:
  const Subject& subject_;
  Guidance guidance_;
};
#endif

template <typename Searcher>
Trial run_trial(const Subject& subject, std::uint64_t seed, const TrialBudget& budget) {
  const ThreadLimit one(1);
  const double start = processor_seconds();
  Searcher searcher(subject, seed);
  Trial trial;
  while (!trial.found && trial.seconds < budget.seconds &&
         trial.cases < budget.cases.value_or(~std::uint64_t{0})) {
    trial.found = searcher.fails(trial.cases++);
    trial.seconds = processor_seconds() - start;
  }
  return trial;
}

}  // namespace

Trial search_for(const Subject& subject, Search search, std::uint64_t seed,
                 const TrialBudget& budget) {
#ifdef HELIXCHECK_GUIDANCE
  if (search == Search::guided) return run_trial<Guided>(subject, seed, budget);
#else
  if (search == Search::guided) throw ResourceError("this build has no guidance");
#endif
  return run_trial<Series>(subject, seed, budget);
}

FailureCount count_failures(const std::vector<std::size_t>& faults, std::uint64_t seed,
                            std::uint64_t cases) {
  const ThreadLimit one(1);
  const std::span<const RareFault> all = rare_faults();
  std::vector<std::unique_ptr<Subject>> subjects;
  for (const RareFault& fault : all) {
    subjects.push_back(std::make_unique<Subject>(cpu::subject(), fault.subject));
  }
  const Subject watcher(cpu::subject(), &fault_watcher());
  const bool any_discrete = std::any_of(faults.begin(), faults.end(),
                                        [&](std::size_t fault) { return !all[fault].numeric; });
  const CaseSource source(seed, {"equivalence"}, watcher);
  FailureCount count{cases, std::vector<std::uint64_t>(all.size()),
                     std::vector<std::uint64_t>(all.size())};
  for (std::uint64_t index = 0; index < cases; ++index) {
    const Scenario scenario = source.draw(index).drawn.scenario;
    if (any_discrete) judged(scenario, watcher);
    const std::vector<bool> met = take_met_conditions();
    for (const std::size_t fault : faults) {
      if (!all[fault].numeric && !met[fault]) continue;
      ++count.met[fault];
      count.failed[fault] += fails(scenario, *subjects[fault]);
    }
  }
  return count;
}

}  // namespace helixcheck
