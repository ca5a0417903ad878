// Cases run in batches of one block for each worker. A batch's blocks are then taken in order, and
// those after the one that ends the search are dropped, so that neither findings nor statistics
// depend on the number of workers.

#include "campaign/check.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "campaign/attribute.hpp"
#include "campaign/confirm.hpp"
#include "mla/parallel.hpp"
#include "run/stopwatch.hpp"
#include "scenario/error.hpp"

namespace helixcheck {
namespace {

constexpr std::uint64_t kBlock = 512;
constexpr std::uint64_t kMpiBlock = 16;  // each of its cases may cost a job its life, and minutes

class Search {
 public:
  Search(const Subject& subject, const CheckOptions& options)
      : subject_(subject),
        options_(options),
        source_(options.seed, options.properties, subject, options.mpi_ranks),
        run_case_(run_case_here(subject, options.run)),
        block_(options.mpi_ranks > 0 ? kMpiBlock : kBlock),
        workers_(static_cast<std::size_t>(std::max(options.jobs, 1))),
        attributes_(
            options.properties.empty() ||
            std::count(options.properties.begin(), options.properties.end(), "equivalence") > 0) {}

  CheckReport run() {
    const Stopwatch whole;
    while (!finished()) {
      const std::uint64_t count = std::min(block_ * workers_, cases_left());
      std::vector<Block> blocks(static_cast<std::size_t>((count + block_ - 1) / block_));
      const std::exception_ptr error = run_batch(count, blocks);
      next_ += count;
      for (Block& block : blocks) {
        if (!has_all_findings()) take(block);
      }
      if (error) std::rethrow_exception(error);  // what was found is stored
    }
    report_.seconds = searching_;
    report_.total_seconds = whole.seconds();
    report_.interrupted = stopped();
    report_.device_lost = lost_;
    return std::move(report_);
  }

 private:
  struct Block {
    std::mutex guard;
    Statistics statistics;
    std::vector<FailedCase> failed;
  };

  bool stopped() const { return lost_ || (options_.interrupted && options_.interrupted()); }
  bool out_of_time() const {
    return options_.seconds && searching_ + batch_.seconds() >= *options_.seconds;
  }
  std::uint64_t cases_left() const {
    return options_.cases ? *options_.cases - next_ : ~std::uint64_t{0};
  }
  bool has_all_findings() const { return std::ssize(report_.findings) >= options_.max_findings; }
  bool finished() const {
    return cases_left() == 0 || stopped() || has_all_findings() ||
           (options_.seconds && searching_ >= *options_.seconds);
  }

  // Returns what ended a worker, if anything.
  std::exception_ptr run_batch(std::uint64_t count, std::vector<Block>& blocks) {
    batch_ = Stopwatch();
    std::atomic<std::uint64_t> taken{0};
    std::vector<std::exception_ptr> errors(workers_);
    const auto work = [&](std::exception_ptr& error) {
      const ThreadLimit one(1);
      try {
        for (std::uint64_t i = taken++; i < count && !stopped() && !out_of_time(); i = taken++) {
          run_case(blocks[static_cast<std::size_t>(i / block_)], options_.first + next_ + i);
        }
      } catch (...) {
        error = std::current_exception();
      }
    };
    {
      std::vector<std::jthread> threads;
      for (std::size_t w = 1; w < workers_; ++w) {
        threads.emplace_back([&work, &error = errors[w]] { work(error); });
      }
      work(errors[0]);
    }
    searching_ += batch_.seconds();
    for (const std::exception_ptr& error : errors) {
      if (error) return error;
    }
    return nullptr;
  }

  void run_case(Block& block, std::uint64_t index) {
    const Stopwatch watch;
    Case drawn = source_.draw(index);
    const std::optional<PropertyResult> result =
        drawn.property == nullptr
            ? std::nullopt
            : judged(drawn.drawn.scenario, *drawn.property, subject_, options_.run);
    if (subject_.memory().lost()) lost_ = true;
    const std::lock_guard lock(block.guard);
    if (!result) return block.statistics.add_unjudged();
    block.statistics.add(drawn.drawn, drawn.property->name, *result, watch.seconds());
    if (const auto signature = signature_of(*drawn.property, subject_, *result)) {
      block.failed.push_back(FailedCase{std::move(drawn), *result->failure, *signature});
    }
  }

  void take(Block& block) {
    report_.statistics.merge(block.statistics);
    report_progress("checking");
    std::vector<FailedCase>& failed = block.failed;
    std::sort(failed.begin(), failed.end(),
              [](const FailedCase& a, const FailedCase& b) { return a.at.index < b.at.index; });
    for (FailedCase& one : failed) {
      if (lost_ && !fails_alone(one)) continue;
      if (count_again(one.signature)) continue;
      const Signature as_seen = one.signature;
      if (attributes_ && !lost_) one = attributed(std::move(one), run_case_);
      if (one.signature == as_seen || !count_again(one.signature)) {
        if (has_all_findings()) continue;
        add_finding(one);
        known_.emplace_back(one.signature, report_.findings.size() - 1);
      }
      if (one.signature != as_seen) known_.emplace_back(as_seen, finding_of(one.signature));
    }
  }

  // A fault of the device fails the cases that other workers had on it, too. Where nobody can be
  // asked, a failure counts.
  bool fails_alone(const FailedCase& failed) const {
    if (workers_ == 1 || !options_.fresh) return true;
    try {
      return options_.fresh({failed.at.drawn.scenario}, *failed.at.property).has_value();
    } catch (const ResourceError&) {
      return true;
    }
  }

  // By the signature a failure was seen with, or was attributed to.
  std::size_t finding_of(const Signature& signature) const {
    const auto known = std::find_if(known_.begin(), known_.end(),
                                    [&](const auto& one) { return one.first == signature; });
    return known == known_.end() ? report_.findings.size() : known->second;
  }
  bool count_again(const Signature& signature) {
    const std::size_t finding = finding_of(signature);
    if (finding == report_.findings.size()) return false;
    ++report_.findings[finding].seen_again;
    return true;
  }

  void add_finding(const FailedCase& failed) {
    report_progress("shrinking " + to_text(failed.signature));
    // Stored before anything else runs: shrinking may end this process.
    Finding as_seen = finding_as_seen(failed);
    store(as_seen);
    if (lost_) {  // nothing can be run to shrink it
      report_.findings.push_back(std::move(as_seen));
      return;
    }
    Finding finding =
        make_finding(failed, predecessors_of(failed.at.index), run_case_, confirm_options());
    store(finding);
    if (!finding.file.empty() && finding.file != as_seen.file) {
      std::error_code ignored;
      std::filesystem::remove(as_seen.file, ignored);
    }
    report_.findings.push_back(std::move(finding));
  }
  std::vector<Scenario> predecessors_of(std::uint64_t index) const {
    std::vector<Scenario> scenarios;
    const std::uint64_t most = std::min<std::uint64_t>(kPredecessors, index - options_.first);
    for (std::uint64_t i = index - most; i < index; ++i) {
      scenarios.push_back(source_.draw(i).drawn.scenario);
    }
    return scenarios;
  }
  ConfirmOptions confirm_options() const {
    ConfirmOptions options{options_.shrink, options_.fresh};
    options.limits.jobs = options_.jobs;
    options.limits.interrupted = options_.interrupted;
    return options;
  }
  void store(Finding& finding) const {
    if (options_.corpus.empty()) return;
    const char* folder = is_mutant(options_.subject_argument) ? kMutants : kRegressions;
    store_finding(finding, options_.corpus, options_.subject_argument, folder);
  }

  void report_progress(std::string doing) {
    if (!options_.progress) return;
    const CheckProgress progress{report_.statistics.cases(), report_.findings.size(), searching_,
                                 report_.statistics.worst_ratio(), std::move(doing)};
    options_.progress(progress);
  }

  const Subject& subject_;
  const CheckOptions& options_;
  const CaseSource source_;
  const RunCase run_case_;
  const std::uint64_t block_;  // cases
  const std::size_t workers_;
  const bool attributes_;  // the equivalence is one of the chosen properties
  CheckReport report_;
  std::vector<std::pair<Signature, std::size_t>> known_;  // which finding has a signature
  std::atomic<bool> lost_ = false;  // the subject's device is of no use any more
  std::uint64_t next_ = 0;          // cases handed out
  double searching_ = 0;            // seconds of the batches so far
  Stopwatch batch_;
};

}  // namespace

CheckReport check(const Subject& subject, const CheckOptions& options) {
  contracts_of(subject, options.run);  // throws: or no case at all would be judged
  return Search(subject, options).run();
}

}  // namespace helixcheck
