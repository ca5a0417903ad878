// Starting processes.

#pragma once

#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace helixcheck {

struct ChildOrder {
  std::vector<std::string> arguments;  // the first one is the path of the executable
  std::vector<std::pair<std::string, std::string>> environment;  // added to this process's own
  int output = -1, errors = -1;                                  // -1: to /dev/null
  std::vector<std::pair<int, int>> files;  // (own descriptor, its number in the child, < 64)
};

// Spawned, never forked: this process may have threads and devices. In a process group of its own:
// Ctrl-C at a terminal is for this process, which then ends in order. Nothing but what is ordered
// is inherited if the own descriptors are close-on-exec. Throws ResourceError.
pid_t spawn(const ChildOrder& order);

// A close-on-exec pipe. Throws ResourceError.
class Pipe {
 public:
  Pipe();
  ~Pipe();
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int read_end() const { return ends_[0]; }
  int write_end() const { return ends_[1]; }
  void close_read_end();
  void close_write_end();

 private:
  int ends_[2] = {-1, -1};
};

// "SIGSEGV", or "signal 99".
std::string signal_name(int signal);

}  // namespace helixcheck
