// `helixcheck check`: the search, with a status line on a terminal and a summary at the end.

#include "campaign/check.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <thread>
#include <unistd.h>

#include "campaign/fresh_process.hpp"
#include "campaign/rank_job.hpp"
#include "campaign/rank_service.hpp"
#include "interrupt.hpp"
#include "options.hpp"
#include "ranks.hpp"
#include "report/findings.hpp"
#include "report/json_report.hpp"
#include "run/allocator.hpp"
#include "scenario/error.hpp"
#include "searching.hpp"
#include "targets.hpp"
#include "worlds.hpp"

namespace helixcheck {
namespace {

constexpr std::uint64_t kDefaultCases = 20000;

void show(const CheckProgress& progress) {
  fmt::print(stderr, "\r\x1b[K{} cases, {:.0f} s, {:.0f} cases/s, {} findings, worst {:.3g}, {}",
             progress.cases, progress.seconds,
             progress.seconds > 0 ? static_cast<double>(progress.cases) / progress.seconds : 0.0,
             progress.findings, progress.worst_ratio, progress.doing);
}

// Cases run in the ranks of `job`, one after the other; processes that have run nothing before are
// a job of their own.
void search_in(RankJob& job, const Subject& subject, const Options& options, CheckOptions& search) {
  search.properties = {"equivalence"};
  search.mpi_ranks = options.ranks;
  search.jobs = 1;
  search.shrink.jobs = 1;
  search.run.elsewhere = [&job](const Scenario& scenario, bool repeat_failures) {
    return job.run(scenario, repeat_failures);
  };
  search.fresh = [&job, &subject](const std::vector<Scenario>& scenarios,
                                  const Property& property) {
    job.end();
    std::optional<Signature> last;
    for (const Scenario& scenario : scenarios) {
      last = signature_of(property, subject, equivalence_result(job.run(scenario, false)));
    }
    return last;
  };
}

CheckOptions search_of(const Options& options) {
  CheckOptions search;
  search.seed = options.seed;
  search.first = options.first;
  search.cases = options.cases;
  if (!options.cases && !options.seconds) search.cases = kDefaultCases;
  search.seconds = options.seconds;
  search.properties = options.properties;
  search.jobs = worker_count(options);
  search.max_findings = options.max_findings.value_or(5);
  search.shrink = shrink_limits(options);
  search.run.contract = options.contract;
  if (options.store) search.corpus = corpus_folder(options);
  search.subject_argument = options.subject;
  search.fresh = fresh_runs(fresh_process(options));
  search.interrupted = interrupt_wished;
  return search;
}

// A search that passes over nearly everything would pass whatever the subject does. A property that
// was chosen may be about few cases.
void require_judged(const Statistics& statistics, const Options& options) {
  const std::uint64_t judged = statistics.cases(), drawn = judged + statistics.unjudged();
  if (judged == 0 && drawn > 0) {
    throw InputError(
        "no case could be judged: the chosen properties say nothing about what the "
        "subject shows");
  }
  const double least = options.min_judged.value_or(options.properties.empty() ? 0.1 : 0);
  if (static_cast<double>(judged) >= least * static_cast<double>(drawn)) return;
  throw InputError(fmt::format(
      "only {} of {} cases could be judged, less than the share of {} that --min-judged "
      "asks for: the subject does not take the others, or they hide too much",
      judged, drawn, least));
}

}  // namespace

int check_verb(const Options& options) {
  if (is_rank_service()) return serve_ranks(options);
  watch_interrupts();
  const std::unique_ptr<Subject> subject = find_subject(options.subject);
  CheckOptions search = search_of(options);
  std::unique_ptr<RankJob> job;
  if (options.world == "mpi") {
    job = start_ranks(options);
    search_in(*job, *subject, options, search);
  }
  const bool terminal = isatty(STDERR_FILENO) == 1 && !options.json;
  if (terminal) search.progress = show;
  keep_freed_memory();
  const CheckReport report = check(*subject, search);
  if (terminal) fmt::print(stderr, "\r\x1b[K");
  const bool ended = !report.interrupted;  // else nothing can be said of shares
  if (ended && report.statistics.cases() == 0) require_judged(report.statistics, options);
  if (options.json) {
    fmt::print("{}", json_of(report, options.subject));
  } else {
    if (options.stats) fmt::print("{}", describe_coverage(report.statistics));
    fmt::print("{}", describe(report, options.subject));
  }
  if (!report.findings.empty()) return kFinding;
  if (report.interrupted) return kInterrupted;
  require_judged(report.statistics, options);
  return kPass;
}

}  // namespace helixcheck
