// Ctrl-C as a wish: the first one asks the command to finish early, the second one ends it.

#pragma once

namespace helixcheck {

// Takes over SIGINT and SIGTERM for the rest of the process.
void watch_interrupts();
bool interrupt_wished();

// What a command that was interrupted and found nothing exits with, as shells do for SIGINT.
inline constexpr int kInterrupted = 130;

}  // namespace helixcheck
