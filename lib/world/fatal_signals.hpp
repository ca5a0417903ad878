// Tells of a signal that kills this process before it does: only the process itself knows which
// one.

#pragma once

#include <array>
#include <signal.h>

namespace helixcheck::mpi {

// While it lives, `report` runs first on SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT, then whoever
// handled the signal before (a sanitizer, MPI's stack trace, the default). `report` must be
// async-signal-safe. One at a time.
class FatalSignals {
 public:
  explicit FatalSignals(void (*report)(int signal));
  ~FatalSignals();
  FatalSignals(const FatalSignals&) = delete;
  FatalSignals& operator=(const FatalSignals&) = delete;

  static constexpr std::array<int, 5> kSignals = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
};

}  // namespace helixcheck::mpi
