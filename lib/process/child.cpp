#include "process/child.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <unistd.h>

#include "scenario/error.hpp"

namespace helixcheck {
namespace {

class FileActions {
 public:
  FileActions() { posix_spawn_file_actions_init(&actions_); }
  ~FileActions() {
    posix_spawn_file_actions_destroy(&actions_);
    for (const int copy : copies_) close(copy);
  }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  // By way of a copy above all numbers in the child: one redirection must not close the source of
  // the next.
  void redirect(int own, int number) {
    if (own >= 0) {
      const int copy = fcntl(own, F_DUPFD_CLOEXEC, kAboveNumbers);
      if (copy < 0) {
        throw ResourceError(fmt::format("cannot pass on a file: {}", strerror(errno)));
      }
      copies_.push_back(copy);
      posix_spawn_file_actions_adddup2(&actions_, copy, number);
    } else {
      posix_spawn_file_actions_addopen(&actions_, number, "/dev/null", O_RDWR, 0);
    }
  }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  static constexpr int kAboveNumbers = 64;
  posix_spawn_file_actions_t actions_;
  std::vector<int> copies_;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> environment_of(const ChildOrder& order) {
  std::vector<std::string> texts;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    bool replaced = false;
    for (const auto& [name, value] : order.environment) {
      replaced |= text.starts_with(name) && text.substr(name.size()).starts_with('=');
    }
    if (!replaced) texts.emplace_back(text);
  }
  for (const auto& [name, value] : order.environment) texts.push_back(name + "=" + value);
  return texts;
}

}  // namespace

pid_t spawn(const ChildOrder& order) {
  FileActions actions;
  actions.redirect(-1, STDIN_FILENO);
  actions.redirect(order.output, STDOUT_FILENO);
  actions.redirect(order.errors, STDERR_FILENO);
  for (const auto& [own, number] : order.files) actions.redirect(own, number);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&attributes, 0);
  std::vector<std::string> arguments = order.arguments, environment = environment_of(order);
  pid_t child = -1;
  const int error = posix_spawn(&child, arguments[0].c_str(), actions.get(), &attributes,
                                pointers(arguments).data(), pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    throw ResourceError(fmt::format("{}: cannot be started: {}", arguments[0], strerror(error)));
  }
  return child;
}

Pipe::Pipe() {
  if (pipe2(ends_, O_CLOEXEC) != 0) {
    throw ResourceError(fmt::format("cannot make a pipe: {}", strerror(errno)));
  }
  fcntl(ends_[1], F_SETPIPE_SZ, 1 << 20);  // a usual message never waits for its reader
}

Pipe::~Pipe() {
  close_read_end();
  close_write_end();
}

void Pipe::close_read_end() {
  if (ends_[0] >= 0) close(ends_[0]);
  ends_[0] = -1;
}

void Pipe::close_write_end() {
  if (ends_[1] >= 0) close(ends_[1]);
  ends_[1] = -1;
}

std::string signal_name(int signal) {
  const char* name = sigabbrev_np(signal);
  return name != nullptr ? fmt::format("SIG{}", name) : fmt::format("signal {}", signal);
}

}  // namespace helixcheck
