// Cases run in batches: workers share a batch, its failures are then handled in the order of their
// numbers, so that the findings do not depend on the number of workers.

#include "campaign/check.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>

#include "campaign/confirm.hpp"
#include "mla/parallel.hpp"
#include "run/stopwatch.hpp"
#include "scenario/error.hpp"

namespace helixcheck {
namespace {

constexpr std::uint64_t kBatch = 512;

class Search {
 public:
  Search(const Subject& subject, const CheckOptions& options)
      : subject_(subject),
        options_(options),
        source_(options.seed, options.properties, subject),
        workers_(static_cast<std::size_t>(std::max(options.jobs, 1))) {}

  CheckReport run() {
    const Stopwatch whole;
    while (!finished()) {
      const std::uint64_t count = std::min(kBatch * workers_.size(), cases_left());
      run_batch(count);
      next_ += count;
      report_progress("checking");
      handle_failures();
    }
    for (const Worker& worker : workers_) report_.statistics.merge(worker.statistics);
    report_.seconds = searching_;
    report_.total_seconds = whole.seconds();
    report_.interrupted = interrupted();
    return std::move(report_);
  }

 private:
  struct Worker {
    Statistics statistics;
    std::vector<FailedCase> failed;
    std::exception_ptr error;
  };

  bool interrupted() const { return options_.interrupted && options_.interrupted(); }
  bool out_of_time() const {
    return options_.seconds && searching_ + batch_.seconds() >= *options_.seconds;
  }
  std::uint64_t cases_left() const {
    return options_.cases ? *options_.cases - next_ : ~std::uint64_t{0};
  }
  bool finished() const {
    return cases_left() == 0 || interrupted() ||
           std::ssize(report_.findings) >= options_.max_findings ||
           (options_.seconds && searching_ >= *options_.seconds);
  }

  void run_batch(std::uint64_t count) {
    batch_ = Stopwatch();
    std::atomic<std::uint64_t> taken{0};
    const auto work = [&](Worker& worker) {
      const ThreadLimit one(1);
      try {
        for (std::uint64_t i = taken++; i < count && !interrupted() && !out_of_time();
             i = taken++) {
          run_case(worker, options_.first + next_ + i);
        }
      } catch (...) {
        worker.error = std::current_exception();
      }
    };
    {
      std::vector<std::jthread> threads;
      for (std::size_t w = 1; w < workers_.size(); ++w) {
        threads.emplace_back([&work, &worker = workers_[w]] { work(worker); });
      }
      work(workers_[0]);
    }
    searching_ += batch_.seconds();
    for (const Worker& worker : workers_) {
      if (worker.error) std::rethrow_exception(worker.error);
    }
  }

  void run_case(Worker& worker, std::uint64_t index) {
    const Stopwatch watch;
    Case drawn = source_.draw(index);
    if (drawn.property == nullptr) return worker.statistics.add_unjudged();
    PropertyResult result;
    try {
      result = drawn.property->check(drawn.drawn.scenario, subject_, options_.run);
    } catch (const InputError&) {  // hides too much to be judged
      return worker.statistics.add_unjudged();
    }
    worker.statistics.add(drawn.drawn, drawn.property->name, result, watch.seconds());
    if (const auto signature = signature_of(*drawn.property, subject_, result)) {
      worker.failed.push_back(FailedCase{std::move(drawn), *std::move(result.failure), *signature});
    }
  }

  void handle_failures() {
    std::vector<FailedCase> failed;
    for (Worker& worker : workers_) {
      std::move(worker.failed.begin(), worker.failed.end(), std::back_inserter(failed));
      worker.failed.clear();
    }
    std::sort(failed.begin(), failed.end(),
              [](const FailedCase& a, const FailedCase& b) { return a.at.index < b.at.index; });
    for (const FailedCase& one : failed) {
      const auto known = std::find(signatures_.begin(), signatures_.end(), one.signature);
      if (known != signatures_.end()) {
        ++report_.findings[static_cast<std::size_t>(known - signatures_.begin())].seen_again;
      } else if (std::ssize(report_.findings) < options_.max_findings) {
        add_finding(one);
      }
    }
  }

  void add_finding(const FailedCase& failed) {
    report_progress("shrinking " + to_text(failed.signature));
    Finding finding = make_finding(failed, source_, subject_, options_);
    if (!options_.corpus.empty()) {
      store_finding(finding, options_.corpus, options_.subject_argument);
    }
    report_.findings.push_back(std::move(finding));
    signatures_.push_back(failed.signature);
  }

  void report_progress(std::string doing) {
    if (!options_.progress) return;
    CheckProgress progress{0, report_.findings.size(), searching_, 0, std::move(doing)};
    for (const Worker& worker : workers_) {
      progress.cases += worker.statistics.cases();
      progress.worst_ratio = std::max(progress.worst_ratio, worker.statistics.worst_ratio());
    }
    options_.progress(progress);
  }

  const Subject& subject_;
  const CheckOptions& options_;
  const CaseSource source_;
  std::vector<Worker> workers_;
  CheckReport report_;
  std::vector<Signature> signatures_;  // of the findings, as they were first seen
  std::uint64_t next_ = 0;             // cases handed out
  double searching_ = 0;               // seconds of the batches so far
  Stopwatch batch_;
};

}  // namespace

std::optional<Signature> signature_of(const Property& property, const Subject& subject,
                                      const PropertyResult& result) {
  if (!result.failure) return std::nullopt;
  const Blame& blame = result.failure->blame;
  return Signature{std::string(property.name), subject.name(), result.failure->kind,
                   blame.stage ? std::string(name_of(*blame.stage)) : ""};
}

CheckReport check(const Subject& subject, const CheckOptions& options) {
  return Search(subject, options).run();
}

}  // namespace helixcheck
