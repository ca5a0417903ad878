#include "fuzz/supervisor.hpp"

#include <algorithm>
#include <ctime>
#include <deque>
#include <fmt/format.h>
#include <fstream>
#include <poll.h>

#include "fuzz/books.hpp"
#include "fuzz/case_queue.hpp"
#include "fuzz/findings_desk.hpp"
#include "fuzz/journals.hpp"
#include "fuzz/observation_row.hpp"
#include "generate/compatibility.hpp"
#include "scenario/error.hpp"
#include "scenario/json.hpp"
#include "store/store.hpp"

namespace helixcheck {
namespace {

constexpr std::uint64_t kFirstLeaseCases = 32, kLeaseCases = 100000;  // its seconds end it before
constexpr double kLeaseSeconds = 0.5, kFirstLeaseSeconds = 0.05;
constexpr double kCheckpointSeconds = 3, kStatusSeconds = 1;
constexpr std::size_t kGivenCases = 16;  // in one order
constexpr int kPollMs = 20;
constexpr int kFailedStarts = 3;                      // in a row, then the subject cannot be run
constexpr int kInputStatus = 2, kResourceStatus = 3;  // of the command for these errors
constexpr int kFailedHires = 60;                      // in a row, then it is given up
constexpr double kDismissalSeconds = 1;               // for workers to end their orders
constexpr std::uint64_t kNoise = std::uint64_t{1} << 20;

// Without its end; of what is only empty lines, "".
std::string last_line(const std::string& text) {
  const std::size_t last = text.find_last_not_of('\n');
  if (last == std::string::npos) return "";
  const std::size_t before = text.rfind('\n', last);
  const std::size_t first = before == std::string::npos ? 0 : before + 1;
  return text.substr(first, last + 1 - first);
}

// Given cases that must run in one process, in this order.
struct Sequence {
  std::vector<GivenCase> cases;
  bool repeated = false;
};

// What a worker is at.
struct Post {
  std::unique_ptr<WorkerProcess> process;  // none if it could not be started
  std::filesystem::path journal;
  std::optional<CaseRange> lease{};  // of its order, what it has not told of yet
  std::vector<Sequence> given{};     // its order
  std::uint64_t ran = 0;             // of its order
  std::uint64_t begun = 0;           // entries of its journal before its order
  Stopwatch since_order{}, since_hire{};
  double cases_per_second = 0;
  std::size_t learned = 0;  // discoveries it knows
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
    if (options.observations.empty()) return;
    observations_.open(options.observations, std::ios::app);
    if (observations_) return;
    throw ResourceError(fmt::format("{}: cannot be written", options.observations.string()));
  }

  CampaignReport run() {
    start();
    search();
    dismiss();
    finish_triage();
    return close();
  }

 private:
  WorkerSetup with_seed() const {
    WorkerSetup setup = options_.worker;
    setup.run_start = run_start_;
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
    return idle() && cases_.done() && given_.empty();
  }
  bool idle() const {
    return std::none_of(posts_.begin(), posts_.end(), [](const Post& post) {
      return post.process && post.process->ready() && !post.process->idle();
    });
  }

  void look_round() {
    wait();
    for (Post& post : posts_) attend(post);
    collect();
    keep_time();
  }

  void collect() {
    desk_.collect();
    for (const CaseJournal::Entry& entry : desk_.take_settled()) journals_.settle(entry);
  }

  // Workers are not needed any more, but what they have done is.
  void dismiss() {
    dismissing_ = true;
    const Stopwatch watch;
    while (!idle() && watch.seconds() < kDismissalSeconds) look_round();
    for (Post& post : posts_) post.process.reset();
  }

  void search() {
    try {
      while (!finished()) {
        for (Post& post : posts_) order(post);
        look_round();
      }
    } catch (const SubjectError& error) {
      end_early(error);
    } catch (const ResourceError& error) {
      end_early(error);
    }
  }

  // What has been found so far is not to be lost with what came in its way.
  template <typename Error>
  void end_early(const Error& error) {
    if (!has_run_) throw error;
    ended_by_ = error.what();
    books_.add_event(fmt::format("the campaign ends early: {}", ended_by_));
  }

  void start() {
    cases_then_ = books_.totals().cases;
    // Before triage may begin with a journal of its own.
    const std::vector<CaseJournal::Entry> running = journals_.take_running();
    CaseJournal(journals_.path("triage"));  // the disk may be full when it is needed
    desk_.take_over(store_.findings(), options_.start);
    desk_.take_over(store_.sightings(books_.campaign().id));
    for (const CaseJournal::Entry& entry : running) desk_.suspect(entry);
    for (const CorpusEntry& entry : options_.start) {
      Sequence sequence;
      for (const Scenario& before : entry.before) {
        sequence.cases.push_back({before, entry.property});
      }
      sequence.cases.push_back({entry.scenario, entry.property});
      given_.push_back(std::move(sequence));
    }
    posts_.resize(static_cast<std::size_t>(std::max(options_.plan.jobs, 1)));
    for (std::size_t i = 0; i < posts_.size(); ++i) {
      posts_[i].journal = journals_.path(fmt::format("worker_{}", i));
      posts_[i].process = std::make_unique<WorkerProcess>(with_seed(), posts_[i].journal);
    }
  }

  // Where no process can be started now, it is tried again.
  void hire(Post& post) {
    post.process.reset();  // the journal is for one at a time
    post = Post{nullptr, post.journal};
    if (dismissing_) return;
    try {
      post.process = std::make_unique<WorkerProcess>(with_seed(), post.journal);
      failed_hires_ = 0;
    } catch (const ResourceError& error) {
      if (failed_hires_++ == 0) books_.add_event(error.what());
      if (failed_hires_ > kFailedHires) throw;
    }
  }

  void order(Post& post) {
    if (!post.process && post.since_hire.seconds() > options_.hire_pause) hire(post);
    if (!post.process || !post.process->idle() || out_of_time()) return;
    has_run_ = true;
    Order order;
    post.ran = 0;
    post.begun = post.process->journal().begun();
    post.since_order = Stopwatch();
    if (!given_.empty()) {
      order.kind = Order::Kind::given;
      while (!given_.empty() && order.cases.size() < kGivenCases) {
        const std::vector<GivenCase>& cases = given_.front().cases;
        order.cases.insert(order.cases.end(), cases.begin(), cases.end());
        post.given.push_back(std::move(given_.front()));
        given_.pop_front();
      }
      return post.process->order(order);
    }
    const CaseRange lease = cases_.take(lease_cases(post));
    if (lease.count == 0) return;
    post.lease = lease;
    order.first = lease.first;
    order.count = lease.count;
    order.seconds = post.leases++ == 0 ? kFirstLeaseSeconds : kLeaseSeconds;
    const std::vector<Discovery>& all = books_.discoveries();
    order.learn.assign(all.begin() + static_cast<std::ptrdiff_t>(post.learned), all.end());
    post.learned = all.size();
    post.process->order(order);
  }

  // More than its seconds will do, but near the end each worker gets its share.
  std::uint64_t lease_cases(const Post& post) const {
    const std::uint64_t share = cases_.left() / (2 * posts_.size()) + 1;
    const double likely = 2 * kLeaseSeconds * post.cases_per_second;
    const auto most = static_cast<std::uint64_t>(
        std::clamp(likely, double{kFirstLeaseCases}, double{kLeaseCases}));
    return std::min(share, most);
  }

  void wait() const {
    std::vector<pollfd> files;
    for (const Post& post : posts_) {
      if (!post.process) continue;
      files.push_back({post.process->answers(), POLLIN, 0});
      files.push_back({post.process->output(), POLLIN, 0});
    }
    poll(files.data(), files.size(), kPollMs);
  }

  void attend(Post& post) {
    if (!post.process) return;
    while (std::optional<Answer> answer = post.process->look()) {
      if (!take(post, *answer)) return;
    }
    if (!noise_noted_ && post.process->printed() > kNoise) {
      noise_noted_ = true;
      books_.add_event("a worker prints more than 1 MiB; the last 64 KiB are kept with a finding");
    }
    if (post.process->end()) bury(post);
  }

  // False if its process was replaced.
  bool take(Post& post, Answer& answer) {
    books_.add(answer);
    observe(answer.observations);
    for (FailedRun& failed : answer.failed) {
      const CaseJournal::Entry entry{failed.index, failed.property,
                                     print_scenario(failed.scenario)};
      desk_.report(std::move(failed), post.process->output_end());
      if (!books_.failing()) journals_.settle(entry);
    }
    if (answer.done > 0) failed_starts_ = killed_starts_ = 0;
    post.ran += answer.done;
    if (post.lease) {
      post.lease = cases_.ran(*post.lease, std::min(answer.done, post.lease->count));
      books_.set_next_case(cases_.low_water());
    }
    if (answer.more) return true;
    const double seconds = post.since_order.seconds();
    if (post.lease) post.cases_per_second = static_cast<double>(post.ran) / std::max(seconds, 1e-3);
    give_back(post, post.ran);
    if (answer.worn.empty()) return true;
    books_.add_event(fmt::format("a worker starts anew: {}", answer.worn));
    books_.count_restart();
    hire(post);
    return false;
  }

  // What it was ordered but did not begin goes to others; `begun` counts given cases.
  void give_back(Post& post, std::uint64_t begun) {
    if (post.lease) cases_.give_back(*post.lease, *post.lease);
    post.lease.reset();
    books_.set_next_case(cases_.low_water());
    std::vector<Sequence> left;
    std::uint64_t first = 0;
    for (Sequence& sequence : post.given) {
      const std::uint64_t next = first + sequence.cases.size();
      if (first >= begun) left.push_back(std::move(sequence));
      first = next;
    }
    given_.insert(given_.begin(), std::make_move_iterator(left.begin()),
                  std::make_move_iterator(left.end()));
    post.given.clear();
  }

  void observe(const std::string& lines) {
    if (!observations_.is_open() || lines.empty()) return;
    observations_ << lines << std::flush;  // at once: this process may be killed in between
    if (observations_) return;
    observations_.clear();
    if (!observations_failed_) {
      books_.add_event(fmt::format("{}: cannot be written", options_.observations.string()));
    }
    observations_failed_ = true;
  }

  // What it ran is a finding; what was not run yet goes to others.
  void bury(Post& post) {
    WorkerProcess& process = *post.process;
    const WorkerEnd end = *process.end();
    if (!process.ready()) return could_not_start(post, end);
    CaseJournal& journal = process.journal();
    const std::vector<CaseJournal::Entry> finished = journal.finished();
    std::optional<CaseJournal::Entry> last = journal.running();
    const bool runs = last.has_value();
    if (!last && !finished.empty()) last = finished.back();
    if (!last) {  // between its order and the first case of it: others get that
      give_back(post, post.ran);
      books_.count_restart();
      return end.from_outside ? was_killed(post, end) : could_not_start(post, end);
    }
    const std::uint64_t untold =
        journal.begun() > post.begun ? pass_over(post, last->index + 1) : 0;
    const bool counted = runs && untold > 0;
    const Observation seen = observation_of(end, last->property, subject_name());
    if (counted) count_ended(*last, seen, journal.running_seconds());
    books_.count_untold(untold - (counted ? 1 : 0));
    if (end.from_outside && !desk_.kills_itself(seen.signature)) {
      suspect(*last, end);
      repeat_sequence(post, last->index);
    } else {
      report_end(*last, finished, seen, end, process.output_end());
    }
    give_back(post, post.ran);
    books_.count_restart();
    hire(post);
  }

  // Cases of its order before `next` were begun: how many of them the worker did not tell of.
  std::uint64_t pass_over(Post& post, std::uint64_t next) {
    const std::uint64_t told = post.lease ? post.lease->first : post.ran;
    const std::uint64_t most = post.lease ? post.lease->count : ~std::uint64_t{0};
    const std::uint64_t untold = std::min(next - std::min(told, next), most);
    post.ran += untold;
    if (post.lease) post.lease = cases_.ran(*post.lease, untold);
    return untold;
  }

  // A case that ended its worker is one of those that were run.
  void count_ended(const CaseJournal::Entry& entry, const Observation& seen, double seconds) {
    PropertyResult result;
    result.subject_runs = 1;
    result.failure = seen.failure;
    Answer answer;
    answer.statistics.add({}, entry.property, result, seconds);
    try {
      const Scenario scenario = parse_scenario(entry.scenario, "the journal");
      const CaseRow row{entry.index, "ended its worker",
                        scenario,    entry.property,
                        nullptr,     &result,
                        seconds,     static_cast<double>(run_start_)};
      answer.sampled.push_back(case_record(row, entry.scenario));
      if (observations_.is_open()) observe(observation_row(row));
    } catch (const InputError&) {  // report_end() says so
    }
    books_.add(answer);
  }

  void suspect(const CaseJournal::Entry& entry, const WorkerEnd& end) {
    books_.add_event(fmt::format("a worker {}; its case is run again", end.sentence));
    journals_.set_aside(entry);
    desk_.suspect(entry);
  }

  // Triage runs a suspected case alone; one of a sequence needs those before it, too.
  void repeat_sequence(Post& post, std::uint64_t at) {
    std::uint64_t first = 0;
    for (const Sequence& sequence : post.given) {
      const std::uint64_t next = first + sequence.cases.size();
      if (first <= at && at < next && sequence.cases.size() > 1 && !sequence.repeated) {
        given_.push_back({sequence.cases, true});
      }
      first = next;
    }
  }

  // A worker that finds an error in what it was given says so in its last line, and ends with the
  // status for it. Whatever else keeps workers from starting is the subject's doing.
  void could_not_start(Post& post, const WorkerEnd& end) {
    if (dismissing_) return post.process.reset();  // nobody is needed in its place
    const std::string line = last_line(post.process->output_end());
    const std::string mark = "helixcheck: ";
    if (!has_run_ && line.starts_with(mark)) {
      const std::string sentence = line.substr(mark.size());
      if (end.exit_status == kInputStatus) throw InputError(sentence);
      if (end.exit_status == kResourceStatus) throw ResourceError(sentence);
    }
    if (++failed_starts_ < kFailedStarts) return hire(post);
    post.process.reset();  // its end is not to be met again
    throw SubjectError(fmt::format("{}: a worker {} before its first case, {} times in a row{}{}",
                                   options_.plan.subject, end.sentence, kFailedStarts,
                                   line.empty() ? "" : ": ", line));
  }

  // Somebody may have done it once. Where memory is short it comes again and again.
  void was_killed(Post& post, const WorkerEnd& end) {
    post = Post{nullptr, post.journal};
    if (dismissing_ || ++killed_starts_ <= kFailedHires) return;  // the next comes after a pause
    throw ResourceError(fmt::format("{}: a worker {} before its first case, {} times in a row",
                                    options_.plan.subject, end.sentence, killed_starts_));
  }

  void report_end(const CaseJournal::Entry& entry, const std::vector<CaseJournal::Entry>& finished,
                  const Observation& seen, const WorkerEnd& end, const std::string& output) {
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

  // What waits is finished, unless somebody is in a hurry.
  void finish_triage() {
    searched_ = books_.seconds();
    while (!triage_.idle() && !interrupted()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(kPollMs));
      collect();
      keep_time();
    }
    collect();
  }

  CampaignReport close() {
    CampaignReport report;
    report.resumed = books_.resumed();
    report.ended_by = ended_by_;
    report.interrupted = interrupted() || !ended_by_.empty();
    books_.close(report.interrupted ? "interrupted" : "finished", searched_);
    report.unsaved = books_.unsaved();
    if (!report.interrupted && !report.unsaved) journals_.clear();
    report.campaign = books_.campaign();
    report.found = desk_.found();
    report.waiting = desk_.waiting();
    report.again = desk_.known_again();
    return report;
  }

  const CampaignOptions& options_;
  const std::int64_t run_start_ = std::time(nullptr);
  Store store_;
  Journals journals_;
  Books books_;
  CaseQueue cases_;
  Triage triage_;
  FindingsDesk desk_;
  std::vector<Post> posts_;
  std::deque<Sequence> given_;
  std::ofstream observations_;
  bool observations_failed_ = false, noise_noted_ = false, dismissing_ = false;
  Stopwatch since_checkpoint_, since_status_, since_finding_;
  std::size_t found_ = 0;
  std::uint64_t cases_then_ = 0;
  int failed_starts_ = 0, killed_starts_ = 0, failed_hires_ = 0;
  bool has_run_ = false;  // a worker of this run has come to its first order
  std::string ended_by_;
  double searched_ = 0;
};

}  // namespace

CampaignReport run_campaign(const CampaignOptions& options) {
  return Supervisor(options).run();
}

}  // namespace helixcheck
