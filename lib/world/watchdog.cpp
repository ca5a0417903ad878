// What the watchdog looks at, ten times a second, and how it ends a job. Silence is counted in its
// own wake-ups, so that a machine that was suspended as a whole accuses nobody.

#include "world/watchdog.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/types.h>
#include <unistd.h>

#include "world/line.hpp"

namespace helixcheck::mpi {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr timespec kPeriod = {0, 100'000'000};
constexpr milliseconds kLongestWakeUp{1000};

// For handlers that get no argument.
std::atomic<Watchdog*> active{nullptr};

// Not in a child that the subject forked.
Watchdog* active_here() {
  Watchdog* watchdog = active;
  return watchdog != nullptr && watchdog->self().pid() == getpid() ? watchdog : nullptr;
}

void on_fatal_signal(int signal) {
  Watchdog* watchdog = active_here();
  if (watchdog == nullptr) return;
  const char* name = sigabbrev_np(signal);
  Line what;
  what.add("died of SIG").add(name == nullptr ? "NAL" : name);
  watchdog->report(watchdog->self(), what.text());
}

void on_exit_call() {
  Watchdog* watchdog = active_here();
  if (watchdog == nullptr) return;
  watchdog->report(watchdog->self(), "called exit");
  Watchdog::end_job(1);
}

sigset_t termination() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  return set;
}

[[noreturn]] void die_of_termination() {
  const sigset_t set = termination();
  signal(SIGTERM, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  raise(SIGTERM);
  _exit(128 + SIGTERM);
}

void add_rank(Line& line, const Record& record) {
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  line.add("rank ").add(record.rank()).add(" on host ").add(host.data());
}

void add_stage(Line& line, const Record& record) {
  std::array<char, 32> name{};
  line.add(" in stage ").add(record.stage(name));
  if (record.step() >= 0) line.add(" of step ").add(record.step());
}

}  // namespace

TerminationBlock::TerminationBlock() {
  const sigset_t set = termination();
  pthread_sigmask(SIG_BLOCK, &set, &former_);
}

TerminationBlock::~TerminationBlock() {
  pthread_sigmask(SIG_SETMASK, &former_, nullptr);
}

Watchdog::Watchdog(Board& board, WatchOrder order)
    : board_(board), order_(order), fatal_signals_(on_fatal_signal) {
  static const int registered = std::atexit(on_exit_call);
  (void)registered;
  active = this;
  thread_ = std::thread([this] { watch(); });
}

Watchdog::~Watchdog() {
  stop_ = true;
  pthread_kill(thread_.native_handle(), SIGTERM);  // ends its sleep
  thread_.join();
  active = nullptr;
}

void Watchdog::report(const Record& culprit, std::string_view what, std::string_view detail) {
  if (!board_.claim_report()) return;
  Line line;
  line.add("helixcheck: ");
  add_rank(line, culprit);
  line.add(" ").add(what);
  add_stage(line, culprit);
  if (!detail.empty()) line.add(": ").add(detail);
  line.write_to(STDERR_FILENO);
}

void Watchdog::end_job(int status) {
  // The main thread may hold the lock of stdout for ever: then its last lines are lost.
  if (ftrylockfile(stdout) == 0) fflush_unlocked(stdout);
  _exit(status);
}

const Record& Watchdog::next() const {
  const auto records = board_.records();
  return records[(order_.self + 1) % records.size()];
}

void Watchdog::watch() {
  const sigset_t set = termination();
  auto last = steady_clock::now();
  while (!stop_) {
    siginfo_t info{};
    const int signal = sigtimedwait(&set, &info, &kPeriod);
    if (stop_) return;
    if (signal == SIGTERM) on_termination(info.si_pid);
    const auto now = steady_clock::now();
    const auto elapsed = std::chrono::duration_cast<milliseconds>(now - last);
    last = now;
    look_at_next(std::min(elapsed, kLongestWakeUp));
    look_for_deadlock(std::min(elapsed, kLongestWakeUp));
  }
}

void Watchdog::on_termination(int sender) {
  Record& self = board_.records()[order_.self];
  if (sender != getppid()) {
    report(self, "was ended by SIGTERM");
    end_job(1);
  }
  look_at_next(milliseconds{0});
  // mpirun ends the job, and the cause is not among the ranks of this host.
  if (!order_.whole_job && order_.self == 0) report(self, "was ended by mpirun");
  self.end();
  die_of_termination();
}

void Watchdog::look_at_next(milliseconds elapsed) {
  const Record& record = next();
  if (record.life() == Life::finished || record.ending()) return;
  const Process process = process_state(record.pid());
  if (process == Process::dead && !record.ending() && record.life() != Life::finished) {
    report(record, "died");
    end_job(1);
  }
  const bool silent = record.beats() == next_beats_ &&
                      (record.life() == Life::working || process == Process::stopped);
  next_beats_ = record.beats();
  next_silence_ = silent ? next_silence_ + elapsed : milliseconds{0};
  if (order_.hang_limit.count() == 0 || next_silence_ <= order_.hang_limit) return;
  Line detail;
  detail.add("no sign of life for ").add(order_.hang_limit.count()).add(" ms");
  report(record, process == Process::stopped ? "is stopped" : "hangs", detail.text());
  end_job(1);
}

void Watchdog::look_for_deadlock(milliseconds elapsed) {
  if (order_.self != 0 || !order_.whole_job || order_.hang_limit.count() == 0) return;
  std::uint64_t beats = 0;
  bool all_wait = true;
  for (const Record& record : board_.records()) {
    beats += record.beats();
    all_wait = all_wait && (record.life() == Life::waiting || record.life() == Life::finished);
  }
  all_silence_ = all_wait && beats == all_beats_ ? all_silence_ + elapsed : milliseconds{0};
  all_beats_ = beats;
  if (all_silence_ > order_.hang_limit) report_deadlock();
}

void Watchdog::report_deadlock() {
  if (board_.claim_report()) {
    Line line;
    line.add("helixcheck: the ranks wait for each other:");
    for (const Record& record : board_.records()) {
      line.add(" ");
      add_rank(line, record);
      add_stage(line, record);
      line.add(";");
    }
    line.write_to(STDERR_FILENO);
  }
  end_job(1);
}

}  // namespace helixcheck::mpi
