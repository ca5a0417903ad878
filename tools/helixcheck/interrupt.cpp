#include "interrupt.hpp"

#include <csignal>

namespace helixcheck {
namespace {

volatile std::sig_atomic_t wished = 0;

void on_signal(int signal) {
  wished = 1;
  std::signal(signal, SIG_DFL);
}

}  // namespace

void watch_interrupts() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
}

bool interrupt_wished() {
  return wished != 0;
}

}  // namespace helixcheck
