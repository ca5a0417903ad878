// Handlers that report and step aside: the former handler is put back and meets the same signal.

#include "world/fatal_signals.hpp"

namespace helixcheck::mpi {
namespace {

void (*report_signal)(int) = nullptr;
std::array<struct sigaction, FatalSignals::kSignals.size()> former{};

void restore(std::size_t i) {
  sigaction(FatalSignals::kSignals[i], &former[i], nullptr);
}

void handle(int signal, siginfo_t* info, void*) {
  report_signal(signal);
  for (std::size_t i = 0; i < former.size(); ++i) {
    if (FatalSignals::kSignals[i] == signal) restore(i);
  }
  // A fault happens again on return, with all its particulars; a signal that was sent does not.
  if (info->si_code <= 0) raise(signal);
}

}  // namespace

FatalSignals::FatalSignals(void (*report)(int)) {
  report_signal = report;
  struct sigaction action {};
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < former.size(); ++i) sigaction(kSignals[i], &action, &former[i]);
}

FatalSignals::~FatalSignals() {
  for (std::size_t i = 0; i < former.size(); ++i) restore(i);
}

}  // namespace helixcheck::mpi
