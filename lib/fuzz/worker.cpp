#include "fuzz/worker.hpp"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <fcntl.h>
#include <fmt/format.h>
#include <set>
#include <unistd.h>

#include "campaign/case_source.hpp"
#include "campaign/confirm.hpp"
#include "campaign/observation.hpp"
#include "fuzz/ending.hpp"
#include "fuzz/heap_growth.hpp"
#include "fuzz/journal.hpp"
#include "fuzz/journals.hpp"
#include "fuzz/observation_row.hpp"
#include "fuzz/wire.hpp"
#include "fuzz/worker_signals.hpp"
#include "mla/parallel.hpp"
#include "process/frames.hpp"
#include "run/stopwatch.hpp"
#include "scenario/error.hpp"
#include "scenario/json.hpp"
#include "subject/instance_keeper.hpp"
#include "world/world.hpp"

namespace helixcheck {
namespace {

CaseJournal* stage_journal = nullptr;

void write_stage(std::string_view stage, std::int64_t step, bool harness) {
  stage_journal->life().enter(harness ? mpi::Life::harness : mpi::Life::working, stage, step);
}

struct Line {
  int orders = -1, answers = -1;
  double run_start = 0;
  std::string journal;
};

Line line_of(const std::string& text) {
  Line line;
  const std::size_t first = text.find(':'), second = text.find(':', first + 1);
  const std::size_t third = text.find(':', second + 1);
  line.orders = std::stoi(text.substr(0, first));
  line.answers = std::stoi(text.substr(first + 1, second - first - 1));
  line.run_start = std::stod(text.substr(second + 1, third - second - 1));
  line.journal = text.substr(third + 1);
  return line;
}

// One case on its way through the worker.
struct Trial {
  std::uint64_t index = 0;
  std::string_view origin;
  const Scenario& scenario;
  const Property& property;
  const DrawnScenario* drawn = nullptr;  // nullptr: given
  const Proposal* proposal = nullptr;    // nullptr: not from guidance
};

// What was found out is told so often: what is not told is lost when a case ends this process.
constexpr double kTellSeconds = 0.1;

class Worker {
 public:
  Worker(const Subject& subject, const WorkerOptions& options, CaseJournal& journal,
         const Line& line)
      : subject_(subject),
        options_(options),
        journal_(journal),
        journals_(Journals::of_worker(line.journal)),
        answers_(line.answers),
        run_start_(line.run_start) {}

  void begin() const {
    Answer ready;
    ready.subject = subject_.name();
    send(ready);
  }

  void follow(const Order& order) {
    Answer answer;
    answer.kind = Answer::Kind::ran;
    since_told_ = Stopwatch();
    switch (order.kind) {
      case Order::Kind::lease: run_lease(order, answer); break;
      case Order::Kind::given: run_given(order, answer); break;
      case Order::Kind::observe: observe(order, answer); return send(answer);
    }
    if (growth_.is_large()) look_for_leaks(answer);
    note_lost_memory(answer);
    send(answer);
  }

 private:
  // Made when needed: whoever confirms and shrinks starts many workers that draw nothing.
  struct Search {
    Search(const WorkerOptions& options, const Subject& subject)
        : source(options.seed, options.properties, subject, options.mpi_ranks),
          guidance(options.seed) {}
    const CaseSource source;
    Guidance guidance;
  };

  void run_lease(const Order& order, Answer& answer) {
    if (!search_) search_.emplace(options_, subject_);
    for (const Discovery& discovery : order.learn) search_->guidance.learn(discovery);
    const Stopwatch watch;
    for (std::uint64_t i = 0; i < order.count && watch.seconds() < order.seconds; ++i) {
      run_case(order.first + i, answer);
      if (!answer.worn.empty()) return;
    }
  }

  void run_case(std::uint64_t index, Answer& answer) {
    if (!options_.guided) {
      const Case drawn = search_->source.draw(index);
      if (drawn.property == nullptr) return skip(answer);
      run({index, "series", drawn.drawn.scenario, *drawn.property, &drawn.drawn, nullptr}, answer);
      return;
    }
    const Proposal proposal = search_->guidance.propose(index);
    const Case drawn = search_->source.with_property(index, proposal.drawn);
    if (drawn.property == nullptr) return skip(answer);
    run({index, proposal.origin, drawn.drawn.scenario, *drawn.property, &drawn.drawn, &proposal},
        answer);
  }

  void run_given(const Order& order, Answer& answer) {
    std::uint64_t number = 0;
    for (const GivenCase& given : order.cases) {
      const Property& property =
          find_property(given.property.empty() ? "equivalence" : given.property);
      run({number++, "corpus", given.scenario, property, nullptr, nullptr}, answer);
      if (!answer.worn.empty()) return;
    }
  }

  void note_lost_memory(Answer& answer) const {
    if (subject_.memory().lost()) answer.worn = "its device was lost";
  }

  static void skip(Answer& answer) {
    ++answer.done;
    answer.statistics.add_unjudged();
  }

  void run(const Trial& trial, Answer& answer) {
    std::string text = print_scenario(trial.scenario);
    if (!journal_.begin(trial.index, trial.property.name, text)) {
      ++answer.done;
      ++answer.too_long;
      return;
    }
    InstanceKeeper::current()->next_scenario();
    const Stopwatch watch;
    const std::optional<PropertyResult> result =
        judged(trial.scenario, trial.property, subject_, options_.run);
    require_connection();
    const double seconds = watch.seconds();
    answer.busy_seconds += seconds;
    note_lost_memory(answer);
    ++answer.done;
    count(trial, result, seconds, answer);
    if (result) guide(trial, *result, text, answer);
    const bool failed = result && result->failure;
    if (failed) report(trial, *result, answer);
    const CaseRow row{trial.index,    trial.origin,
                      trial.scenario, trial.property.name,
                      trial.drawn,    result ? &*result : nullptr,
                      seconds,        run_start_};
    if (options_.observations) answer.observations += observation_row(row);
    if (failed || answer.sampled.empty()) answer.sampled.push_back(case_record(row, text));
    remember({trial.scenario, std::string(trial.property.name)});
    // A failure is told before its case has ended: a kill in between must not lose it.
    const bool due = since_told_.seconds() >= kTellSeconds || options_.observations;
    if ((failed || due) && answer.worn.empty()) tell(answer);
    journal_.end();
  }

  // What was found out so far.
  void tell(Answer& answer) {
    answer.more = true;
    send(answer);
    answer = Answer();
    answer.kind = Answer::Kind::ran;
    since_told_ = Stopwatch();
  }

  void send(const Answer& answer) const {
    if (!write_frame(answers_, pack(answer))) _exit(kDisconnected);
  }

  // Where the code under test has closed the connection, the case at hand is the one to blame.
  void require_connection() const {
    if (fcntl(answers_, F_GETFD) < 0) _exit(kDisconnected);
  }

  void count(const Trial& trial, const std::optional<PropertyResult>& result, double seconds,
             Answer& answer) const {
    static const DrawnScenario kNotDrawn;
    if (!result) return answer.statistics.add_unjudged();
    answer.statistics.add(trial.drawn != nullptr ? *trial.drawn : kNotDrawn, trial.property.name,
                          *result, seconds);
  }

  void guide(const Trial& trial, const PropertyResult& result, std::string& text, Answer& answer) {
    if (trial.proposal == nullptr || result.failure) return;
    std::optional<Discovery> discovery = search_->guidance.learn(*trial.proposal, result.taps);
    if (!discovery) return;
    answer.kept.push_back(
        {*std::move(discovery), trial.index, std::string(trial.property.name), text});
  }

  void report(const Trial& trial, const PropertyResult& result, Answer& answer) {
    FailedRun failed;
    failed.index = trial.index;
    failed.origin = trial.origin;
    failed.scenario = trial.scenario;
    failed.property = trial.property.name;
    failed.failure = *result.failure;
    failed.signature = *signature_of(trial.property, subject_, result);
    if (reported_.insert(to_text(failed.signature)).second) {
      // Until it stands in the store: the supervisor may be killed before it reads of it.
      journals_.set_aside({trial.index, failed.property, print_scenario(trial.scenario)});
      for (const GivenCase& one : recent_) failed.before.push_back(one.scenario);
    }
    answer.failed.push_back(std::move(failed));
  }

  void remember(GivenCase ran) {
    recent_.push_back(std::move(ran));
    if (recent_.size() > kPredecessors) recent_.pop_front();
  }

  // Where the heap has grown much since this process was warm, one of the last cases may be the
  // one that does it.
  void look_for_leaks(Answer& answer) {
    tell(answer);
    for (const GivenCase& one : std::vector<GivenCase>(recent_.rbegin(), recent_.rend())) {
      const auto kept = leaked(one.scenario, find_property(one.property));
      if (!kept) continue;
      FailedRun failed;
      failed.origin = "repetition";
      failed.scenario = one.scenario;
      failed.property = one.property;
      failed.failure = kept->failure;
      failed.signature = kept->signature;
      answer.failed.push_back(std::move(failed));
      break;
    }
    // Without a leak in sight it may be what instances keep. Many times so much may not.
    if (answer.failed.empty() && growth_.accept()) return;
    answer.worn = fmt::format("its heap has grown by {} MiB", growth_.bytes() >> 20);
  }

  // What an instance holds is no leak, what it leaves behind is.
  static void outlive_instances() {
    for (std::uint64_t i = 0; i < InstanceKeeper::kLife; ++i) {
      InstanceKeeper::current()->next_scenario();
    }
  }

  std::optional<Observation> leaked(const Scenario& scenario, const Property& property) {
    if (!property.applies(scenario, subject_)) return std::nullopt;
    const std::string text = print_scenario(scenario);
    if (!journal_.begin(0, property.name, text)) return std::nullopt;
    journal_.end();
    const std::optional<std::uint64_t> bytes = heap_growth_of_a_run([&] {
      outlive_instances();
      journal_.begin(0, property.name, text);  // the limit of time is a run's
      judged(scenario, property, subject_, options_.run);
      journal_.end();
    });
    if (!bytes) return std::nullopt;
    const Signature signature{std::string(property.name), subject_.name(), "leak", ""};
    const std::string sentence =
        fmt::format("each repetition leaves {} more bytes allocated", *bytes);
    return Observation{Failure{"leak", Blame{{}, {}, {}, sentence}}, signature};
  }

  void observe(const Order& order, Answer& answer) {
    answer.kind = Answer::Kind::observed;
    const Property& property = find_property(order.property);
    if (order.kind_wanted == "leak") {
      answer.observation = leaked(order.scenario, property);
      return;
    }
    if (!journal_.begin(0, property.name, print_scenario(order.scenario))) {
      answer.error = "the scenario is too long for the journal";
      return;
    }
    InstanceKeeper::current()->next_scenario();
    answer.observation =
        run_case_here(subject_, options_.run)(order.scenario, property, order.repeat);
    require_connection();
    journal_.end();
  }

  const Subject& subject_;
  const WorkerOptions& options_;
  CaseJournal& journal_;
  const Journals journals_;
  const int answers_;
  const double run_start_;
  Stopwatch since_told_;
  std::optional<Search> search_;
  HeapGrowth growth_;
  std::deque<GivenCase> recent_;
  std::set<std::string> reported_;  // signatures whose predecessors were sent
};

}  // namespace

bool is_worker() {
  return std::getenv(kWorkerVariable) != nullptr;
}

void prepare_worker() {
  const char* supervisor = std::getenv(kSupervisorVariable);
  watch_worker_signals(supervisor == nullptr ? 0 : std::atoi(supervisor));
}

void serve_supervisor(const Subject& subject, const WorkerOptions& options) {
  const Line line = line_of(std::getenv(kWorkerVariable));
  CaseJournal journal(line.journal);
  stage_journal = &journal;
  tell_stages_of_sim_worlds(write_stage);
  const ThreadLimit one(1);
  const InstanceKeeper keeper;
  Worker worker(subject, options, journal, line);
  worker.begin();
  std::string bytes;
  while (read_frame(line.orders, bytes)) worker.follow(unpack_order_of_supervisor(bytes));
}

}  // namespace helixcheck
