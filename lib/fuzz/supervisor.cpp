#include "fuzz/supervisor.hpp"

#include <algorithm>
#include <deque>
#include <fmt/format.h>
#include <fstream>
#include <poll.h>

#include "fuzz/books.hpp"
#include "fuzz/case_queue.hpp"
#include "fuzz/findings_desk.hpp"
#include "fuzz/journals.hpp"
#include "generate/compatibility.hpp"
#include "scenario/error.hpp"
#include "scenario/json.hpp"
#include "store/store.hpp"

namespace helixcheck {
namespace {

constexpr std::uint64_t kLeaseCases = 100000;  // at most; its seconds end it before
constexpr double kLeaseSeconds = 0.5, kFirstLeaseSeconds = 0.05;
constexpr double kCheckpointSeconds = 3, kStatusSeconds = 1;
constexpr std::size_t kGivenCases = 16;  // in one order
constexpr int kPollMs = 20;
constexpr int kFailedStarts = 3;  // in a row, then the subject cannot be run
constexpr std::uint64_t kNoise = std::uint64_t{1} << 20;

constexpr int kBadInputStatus = 2, kMissingResourceStatus = 3;  // of the command

// Without the name that the command begins its sentences with.
std::string last_line(const std::string& output) {
  const std::size_t last = output.find_last_not_of('\n');
  if (last == std::string::npos) return "";
  const std::size_t begin = output.rfind('\n', last) + 1;
  const std::string line = output.substr(begin, last + 1 - begin);
  const std::string_view name = "helixcheck: ";
  return line.starts_with(name) ? line.substr(name.size()) : line;
}

// What a worker is at.
struct Post {
  std::unique_ptr<WorkerProcess> process;
  std::filesystem::path journal;
  CaseRange lease;               // of what it was ordered last
  std::vector<GivenCase> given;  // the same
  std::size_t learned = 0;       // discoveries it knows
  bool noise_noted = false;
  int leases = 0;
};

class Supervisor {
 public:
  explicit Supervisor(const CampaignOptions& options)
      : options_(options),
        store_(options.store),
        journals_(options.store),
        books_(store_, options.plan, options.fresh, options.say),
        cases_(books_.campaign().next_case, options.plan.budget_cases),
        triage_(with_seed(), journals_.path("triage"), triage_options()),
        desk_(books_, triage_, options.corpus, options.plan.subject) {
    if (!options.observations.empty()) observations_.open(options.observations, std::ios::app);
  }

  CampaignReport run() {
    start();
    while (!finished()) {
      for (Post& post : posts_) order(post);
      wait();
      for (Post& post : posts_) attend(post);
      desk_.collect();
      keep_time();
    }
    finish_triage();
    return close();
  }

 private:
  WorkerSetup with_seed() const {
    WorkerSetup setup = options_.worker;
    setup.arguments.insert(setup.arguments.end(),
                           {"--seed", fmt::format("{}", books_.campaign().seed)});
    return setup;
  }
  Triage::Options triage_options() const {
    const std::vector<std::string>& names = options_.plan.properties;
    const bool attributes =
        names.empty() || std::count(names.begin(), names.end(), "equivalence") > 0;
    return {options_.shrink, attributes, options_.interrupted};
  }

  bool interrupted() const { return options_.interrupted && options_.interrupted(); }
  bool out_of_time() const {
    return options_.plan.budget_seconds > 0 && books_.seconds() >= options_.plan.budget_seconds;
  }
  bool finished() const {
    if (interrupted() || out_of_time()) return true;
    if (desk_.found().size() >= options_.max_findings) return true;
    const bool idle = std::none_of(posts_.begin(), posts_.end(), [](const Post& post) {
      return post.process && !post.process->idle();
    });
    return idle && cases_.done() && given_.empty();
  }

  void start() {
    cases_then_ = books_.totals().cases;
    desk_.take_over(store_.findings(), options_.start);
    desk_.take_over(store_.sightings(books_.campaign().id));
    for (const CaseJournal::Entry& entry : journals_.take_running()) desk_.suspect(entry);
    for (const CorpusEntry& entry : options_.start) {
      std::vector<GivenCase> sequence;
      for (const Scenario& before : entry.before) sequence.push_back({before, entry.property});
      sequence.push_back({entry.scenario, entry.property});
      given_.push_back(std::move(sequence));
    }
    for (int i = 0; i < std::max(options_.plan.jobs, 1); ++i) {
      Post& post = posts_.emplace_back();
      post.journal = journals_.path(fmt::format("worker_{}", i));
      hire(post);
    }
  }

  void hire(Post& post) {
    post.process.reset();  // the journal is for one at a time
    post.process = std::make_unique<WorkerProcess>(with_seed(), post.journal);
    post.learned = 0;
    post.leases = 0;
    post.lease = {};
    post.given.clear();
  }

  void order(Post& post) {
    if (!post.process->idle() || out_of_time()) return;
    failed_starts_ = 0;
    Order order;
    if (!given_.empty()) {
      order.kind = Order::Kind::given;
      while (!given_.empty() && order.cases.size() < kGivenCases) {
        order.cases.insert(order.cases.end(), given_.front().begin(), given_.front().end());
        given_.pop_front();
      }
      post.given = order.cases;
      return post.process->order(order);
    }
    post.lease = cases_.take(kLeaseCases);
    if (post.lease.count == 0) return;
    order.first = post.lease.first;
    order.count = post.lease.count;
    order.seconds = post.leases++ == 0 ? kFirstLeaseSeconds : kLeaseSeconds;
    const std::vector<Discovery>& all = books_.discoveries();
    order.learn.assign(all.begin() + static_cast<std::ptrdiff_t>(post.learned), all.end());
    post.learned = all.size();
    post.process->order(order);
  }

  void wait() const {
    std::vector<pollfd> files;
    for (const Post& post : posts_) {
      if (post.process->end()) continue;
      files.push_back({post.process->answers(), POLLIN, 0});
      files.push_back({post.process->output(), POLLIN, 0});
    }
    poll(files.data(), files.size(), kPollMs);
  }

  void attend(Post& post) {
    if (std::optional<Answer> answer = post.process->look()) take(post, *answer);
    if (!post.noise_noted && post.process->printed() > kNoise) {
      post.noise_noted = true;
      books_.add_event("a worker prints more than 1 MiB; the last 64 KiB are kept with a finding");
    }
    if (post.process->end()) bury(post);
  }

  void take(Post& post, Answer& answer) {
    books_.add(answer);
    if (observations_.is_open()) observations_ << answer.observations;
    for (FailedRun& failed : answer.failed) {
      desk_.report(std::move(failed), post.process->output_end());
    }
    if (post.lease.count > 0) {
      cases_.give_back({post.lease.first + answer.done, post.lease.count - answer.done},
                       post.lease);
      books_.set_next_case(cases_.low_water());
    }
    post.lease = {};
    post.given.clear();
    if (!answer.worn) return;
    books_.count_restart();
    hire(post);
  }

  // What it ran is a finding; what was not run yet goes to others.
  void bury(Post& post) {
    WorkerProcess& process = *post.process;
    const WorkerEnd end = *process.end();
    const std::vector<CaseJournal::Entry> finished = process.journal().finished();
    std::optional<CaseJournal::Entry> running = process.journal().running();
    if (!process.ready()) return could_not_start(post, end);
    const bool suspected_late = !running && !finished.empty();
    if (suspected_late) running = finished.back();
    if (running && end.from_outside) {
      books_.add_event(fmt::format("a worker {}; its case is run again", end.sentence));
      desk_.suspect(*running);
    } else if (running) {
      report_end(*running, finished, end, process.output_end());
    }
    if (post.lease.count > 0) {
      const std::uint64_t next = running && !suspected_late ? running->index + 1
                                 : running                  ? running->index + 1
                                                            : post.lease.first;
      const std::uint64_t stop = post.lease.first + post.lease.count;
      const std::uint64_t from = std::clamp(next, post.lease.first, stop);
      cases_.give_back({from, stop - from}, post.lease);
      books_.set_next_case(cases_.low_water());
    }
    books_.count_restart();
    hire(post);
  }

  // A worker that finds its command line or its machine wanting says so and ends with that status.
  void could_not_start(Post& post, const WorkerEnd& end) {
    const std::string line = last_line(post.process->output_end());
    if (end.exit_status == kBadInputStatus) throw InputError(line);
    if (end.exit_status == kMissingResourceStatus) throw ResourceError(line);
    if (++failed_starts_ >= kFailedStarts) {
      throw SubjectError(fmt::format("{}: a worker {} before its first case, {} times in a row{}{}",
                                     options_.plan.subject, end.sentence, kFailedStarts,
                                     line.empty() ? "" : ": ", line));
    }
    hire(post);
  }

  void report_end(const CaseJournal::Entry& entry, const std::vector<CaseJournal::Entry>& finished,
                  const WorkerEnd& end, const std::string& output) {
    FailedRun failed;
    failed.index = entry.index;
    failed.property = entry.property;
    try {
      failed.scenario = parse_scenario(entry.scenario, "the journal");
      for (const CaseJournal::Entry& one : finished) {
        if (one == entry) continue;
        failed.before.push_back(parse_scenario(one.scenario, "the journal"));
      }
    } catch (const InputError& error) {
      return books_.add_event(fmt::format("a worker {}, and {}", end.sentence, error.what()));
    }
    if (failed.before.size() > kPredecessors) {
      failed.before.erase(failed.before.begin(),
                          failed.before.end() - static_cast<std::ptrdiff_t>(kPredecessors));
    }
    const Observation seen = observation_of(end, entry.property, subject_name());
    failed.failure = seen.failure;
    failed.signature = seen.signature;
    desk_.report(std::move(failed), output);
  }

  std::string subject_name() const {
    for (const Post& post : posts_) {
      if (post.process && post.process->ready()) return post.process->subject();
    }
    return options_.plan.subject;
  }

  void keep_time() {
    if (since_checkpoint_.seconds() >= kCheckpointSeconds) {
      since_checkpoint_ = Stopwatch();
      observations_.flush();
      books_.checkpoint();
    }
    if (since_status_.seconds() < kStatusSeconds) return;
    report_status();
  }

  void report_status() {
    const double passed = since_status_.seconds();
    since_status_ = Stopwatch();
    if (desk_.found().size() != found_) since_finding_ = Stopwatch();
    found_ = desk_.found().size();
    CampaignStatus status;
    status.totals = books_.totals();
    status.totals.seconds = books_.seconds();
    status.totals.pairs = books_.statistics().pairs_drawn();
    status.seconds_since_finding = since_finding_.seconds();
    status.cases_per_second =
        static_cast<double>(books_.totals().cases - cases_then_) / std::max(passed, 1e-3);
    cases_then_ = books_.totals().cases;
    const auto& worst = books_.statistics().worst_ratios();
    const auto largest = std::max_element(worst.begin(), worst.end());
    status.worst_tap = name_of(static_cast<Tap>(largest - worst.begin()));
    status.possible_pairs = Compatibility::get().pairs();
    status.workers = static_cast<int>(posts_.size());
    status.doing = triage_.doing();
    if (options_.status) options_.status(status);
  }

  // Workers are not needed any more; what waits is finished, unless somebody is in a hurry.
  void finish_triage() {
    const bool in_hurry = interrupted();
    for (Post& post : posts_) post.process.reset();
    searched_ = books_.seconds();
    while (!in_hurry && !triage_.idle() && !interrupted()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(kPollMs));
      desk_.collect();
      keep_time();
    }
    desk_.collect();
  }

  CampaignReport close() {
    CampaignReport report;
    report.resumed = books_.resumed();
    report.interrupted = interrupted();
    books_.close(report.interrupted ? "interrupted" : "finished", searched_);
    if (!report.interrupted) journals_.clear();
    report.campaign = books_.campaign();
    report.found = desk_.found();
    report.again = desk_.known_again();
    report.unfinished = desk_.waiting();
    report.unsaved = books_.unsaved();
    return report;
  }

  const CampaignOptions& options_;
  Store store_;
  Journals journals_;
  Books books_;
  CaseQueue cases_;
  Triage triage_;
  FindingsDesk desk_;
  std::vector<Post> posts_;
  std::deque<std::vector<GivenCase>> given_;
  std::ofstream observations_;
  Stopwatch since_checkpoint_, since_status_, since_finding_;
  std::size_t found_ = 0;
  std::uint64_t cases_then_ = 0;
  int failed_starts_ = 0;
  double searched_ = 0;
};

}  // namespace

CampaignReport run_campaign(const CampaignOptions& options) {
  return Supervisor(options).run();
}

}  // namespace helixcheck
