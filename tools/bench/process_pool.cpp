// A child writes its result into a pipe and ends; the result fits the pipe, so that nobody waits.

#include "process_pool.hpp"

#include <cstdio>
#include <exception>
#include <fmt/format.h>
#include <map>
#include <sys/wait.h>
#include <unistd.h>

#include "scenario/error.hpp"

namespace helixcheck {
namespace {

constexpr std::size_t kPipeBytes = 4096;  // that a pipe holds on every system

struct Child {
  std::size_t index;
  int results;  // descriptor
};

[[noreturn]] void be_child(std::size_t index, int results,
                           const std::function<std::string(std::size_t)>& work) {
  int status = 1;
  try {
    const std::string text = work(index);
    const bool fits = text.size() <= kPipeBytes;
    const bool written =
        fits && write(results, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    status = written ? 0 : 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
  }
  _exit(status);
}

std::string read_all(int from) {
  std::string text(kPipeBytes, '\0');
  const ssize_t bytes = read(from, text.data(), text.size());
  text.resize(bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
  close(from);
  return text;
}

}  // namespace

void run_apart(std::size_t count, int jobs, const std::function<std::string(std::size_t)>& work,
               const std::function<void(std::size_t, const std::string&)>& done) {
  std::map<pid_t, Child> running;
  std::fflush(nullptr);
  for (std::size_t next = 0; next < count || !running.empty();) {
    if (next < count && running.size() < static_cast<std::size_t>(jobs)) {
      int ends[2];
      if (pipe(ends) != 0) throw ResourceError("a pipe to a child process cannot be made");
      const pid_t child = fork();
      if (child < 0) throw ResourceError("a child process cannot be made");
      if (child == 0) be_child(next, ends[1], work);
      close(ends[1]);
      running[child] = Child{next++, ends[0]};
      continue;
    }
    int status = 0;
    const pid_t ended = wait(&status);
    const auto found = running.find(ended);
    if (found == running.end()) continue;
    const Child child = found->second;
    running.erase(found);
    const std::string text = read_all(child.results);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
      throw ResourceError(
          fmt::format("child process {} ended with status {}", child.index, status));
    }
    done(child.index, text);
  }
}

}  // namespace helixcheck
