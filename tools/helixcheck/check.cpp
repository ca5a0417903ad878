// `helixcheck check`: the search, with a status line on a terminal and a summary at the end.

#include "campaign/check.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <thread>
#include <unistd.h>

#include "campaign/fresh_process.hpp"
#include "interrupt.hpp"
#include "options.hpp"
#include "report/findings.hpp"
#include "report/json_report.hpp"
#include "run/allocator.hpp"
#include "scenario/error.hpp"
#include "searching.hpp"
#include "targets.hpp"

namespace helixcheck {
namespace {

constexpr std::uint64_t kDefaultCases = 20000;

void show(const CheckProgress& progress) {
  fmt::print(stderr, "\r\x1b[K{} cases, {:.0f} s, {:.0f} cases/s, {} findings, worst {:.3g}, {}",
             progress.cases, progress.seconds,
             progress.seconds > 0 ? static_cast<double>(progress.cases) / progress.seconds : 0.0,
             progress.findings, progress.worst_ratio, progress.doing);
}

}  // namespace

int check_verb(const Options& options) {
  const std::unique_ptr<Subject> subject = find_subject(options.subject);
  CheckOptions search;
  search.seed = options.seed;
  search.first = options.first;
  search.cases = options.cases;
  if (!options.cases && !options.seconds) search.cases = kDefaultCases;
  search.seconds = options.seconds;
  search.properties = options.properties;
  search.jobs = worker_count(options);
  search.max_findings = options.max_findings;
  search.shrink = shrink_limits(options);
  search.run.contract = options.contract;
  if (options.store) search.corpus = corpus_folder(options);
  search.subject_argument = options.subject;
  search.fresh = fresh_runs(fresh_process(options));
  search.interrupted = interrupt_wished;
  const bool terminal = isatty(STDERR_FILENO) == 1 && !options.json;
  if (terminal) search.progress = show;
  watch_interrupts();
  keep_freed_memory();
  const CheckReport report = check(*subject, search);
  if (terminal) fmt::print(stderr, "\r\x1b[K");
  if (report.statistics.cases() == 0 && report.statistics.unjudged() > 0) {
    throw InputError(
        "no case could be judged: the chosen properties say nothing about what the "
        "subject shows");
  }
  if (options.json) {
    fmt::print("{}", json_of(report, options.subject));
  } else {
    if (options.stats) fmt::print("{}", describe_coverage(report.statistics));
    fmt::print("{}", describe(report, options.subject));
  }
  if (!report.findings.empty()) return kFinding;
  return report.interrupted ? kInterrupted : kPass;
}

}  // namespace helixcheck
