// The watchdog thread of a rank: looks after the next rank of its host (the last looks after the
// first), so that any rank that dies, freezes or hangs is seen by one that lives. It ends the job
// with one line on stderr and exit status 1, which makes mpirun end every other rank. It never
// calls MPI, which the rank's main thread may be stuck in.

#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <signal.h>
#include <string_view>
#include <thread>

#include "world/fatal_signals.hpp"
#include "world/heartbeat.hpp"

namespace helixcheck::mpi {

// Blocks SIGTERM in the calling thread, and in those it starts, so that the watchdog takes it.
// mpirun sends it to every rank as soon as one has died.
class TerminationBlock {
 public:
  TerminationBlock();
  ~TerminationBlock();
  TerminationBlock(const TerminationBlock&) = delete;
  TerminationBlock& operator=(const TerminationBlock&) = delete;

 private:
  sigset_t former_{};
};

struct WatchOrder {
  std::size_t self = 0;                         // this rank's place on the board
  bool whole_job = true;                        // the board holds every rank of the job
  std::chrono::milliseconds hang_limit{20000};  // 0: ranks may hang
};

// One at a time, in a process that holds a TerminationBlock. Also reports fatal signals and calls
// of exit in this process.
class Watchdog {
 public:
  Watchdog(Board& board, WatchOrder order);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  const Record& self() const { return board_.records()[order_.self]; }
  // Prints "helixcheck: rank R on host H <what> in stage S of step T<detail>", unless a rank of
  // this host has printed one already. Async-signal-safe.
  void report(const Record& culprit, std::string_view what, std::string_view detail = {});
  // Ends this process with `status`, and thereby the job; buffered output is written if it can be.
  [[noreturn]] static void end_job(int status);

 private:
  void watch();
  void on_termination(int sender);
  const Record& next() const;
  void look_at_next(std::chrono::milliseconds elapsed);
  void look_for_deadlock(std::chrono::milliseconds elapsed);
  void report_deadlock();

  Board& board_;
  WatchOrder order_;
  std::chrono::milliseconds next_silence_{0};
  std::uint64_t next_beats_ = 0;
  std::chrono::milliseconds all_silence_{0};
  std::uint64_t all_beats_ = 0;
  std::atomic<bool> stop_{false};
  FatalSignals fatal_signals_;
  std::thread thread_;
};

}  // namespace helixcheck::mpi
