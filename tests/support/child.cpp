#include "child.hpp"

#include <csignal>
#include <cstdio>
#include <exception>
#include <fcntl.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace helixcheck {
namespace {

[[noreturn]] void run(const std::function<void(const Child::Say&)>& work, int to) {
  int status = 0;
  try {
    work([to](std::int64_t number) {
      if (write(to, &number, sizeof(number)) != sizeof(number)) _exit(2);
    });
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    status = 1;
  }
  _exit(status);
}

}  // namespace

Child::Child(const std::function<void(const Say&)>& work) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  id_ = fork();
  if (id_ < 0) throw std::runtime_error("no process");
  if (id_ == 0) run(work, ends[1]);
  close(ends[1]);
  from_ = ends[0];
}

Child::~Child() {
  kill();
  close(from_);
}

bool Child::hear(std::int64_t& number) const {
  return read(from_, &number, sizeof(number)) == sizeof(number);
}

void Child::kill() {
  if (id_ == 0) return;
  ::kill(id_, SIGKILL);
  wait();
}

int Child::wait() {
  int status = 0;
  waitpid(id_, &status, 0);
  id_ = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace helixcheck
