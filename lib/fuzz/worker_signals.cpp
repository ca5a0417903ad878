#include "fuzz/worker_signals.hpp"

#include <array>
#include <csignal>
#include <cstring>
#include <execinfo.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "world/fatal_signals.hpp"

namespace helixcheck {
namespace {

constexpr int kMostFrames = 64;

// Only what may be called in a handler.
void print_stack() {
  std::array<void*, kMostFrames> frames{};
  const int count = backtrace(frames.data(), kMostFrames);
  backtrace_symbols_fd(frames.data(), count, STDERR_FILENO);
}

void report_signal(int) {
  print_stack();
}

void dump_stack(int) {
  print_stack();
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

// A stack that ran over needs another one to tell of it.
void use_another_stack_for_signals() {
  static std::array<char, 1 << 16> memory;
  stack_t stack{};
  stack.ss_sp = memory.data();
  stack.ss_size = memory.size();
  sigaltstack(&stack, nullptr);
}

}  // namespace

int stack_dump_signal() {
  return SIGUSR2;
}

void watch_worker_signals(int supervisor) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != supervisor) _exit(0);  // it died before
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGINT, SIG_IGN);
  std::array<void*, 1> frame{};
  backtrace(frame.data(), 1);  // loads what it needs before it is needed in a handler
  if (!kSanitized) {
    use_another_stack_for_signals();
    static const mpi::FatalSignals fatal(report_signal);
  }
  struct sigaction action {};
  action.sa_handler = dump_stack;
  action.sa_flags = SA_RESTART;
  sigaction(stack_dump_signal(), &action, nullptr);
}

}  // namespace helixcheck
