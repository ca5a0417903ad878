// A child gets what is ordered for it and nothing else. Shell scripts are the children.

#include "process/child.hpp"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scenario/error.hpp"

namespace helixcheck {
namespace {

std::string all_from(int file) {
  std::string text;
  char buffer[4096];
  for (ssize_t count = 0; (count = read(file, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(count));
  }
  return text;
}

struct Ended {
  std::string out, err;
  int status = -1;  // as from waitpid
};

// Outputs must fit into a pipe.
Ended run(const std::string& script, ChildOrder order = {}) {
  Pipe out, err;
  order.arguments = {"/bin/sh", "-c", script, "name", "first argument", "second"};
  order.output = out.write_end();
  order.errors = err.write_end();
  Ended ended;
  const pid_t child = spawn(order);
  out.close_write_end();
  err.close_write_end();
  ended.out = all_from(out.read_end());
  ended.err = all_from(err.read_end());
  EXPECT_EQ(waitpid(child, &ended.status, 0), child);
  return ended;
}

TEST(Spawn, PassesArgumentsAndStreams) {
  const Ended ended = run("printf '%s|' \"$@\"; echo trouble >&2; exit 7");
  EXPECT_EQ(ended.out, "first argument|second|");
  EXPECT_EQ(ended.err, "trouble\n");
  EXPECT_TRUE(WIFEXITED(ended.status));
  EXPECT_EQ(WEXITSTATUS(ended.status), 7);
  EXPECT_EQ(run("cat; echo end").out, "end\n") << "standard input is empty";
}

TEST(Spawn, AddsToTheEnvironment) {
  setenv("HELIXCHECK_OWN", "own", 1);
  setenv("HELIXCHECK_OWNER", "stays", 1);
  ChildOrder order;
  order.environment = {{"HELIXCHECK_OWN", "ordered = this"}, {"HELIXCHECK_NEW", ""}};
  const std::string show =
      "echo $HELIXCHECK_OWN/$HELIXCHECK_OWNER/${HELIXCHECK_NEW-unset}; "
      "env | grep -c '^HELIXCHECK_OWN='";
  EXPECT_EQ(run(show).out, "own/stays/unset\n1\n");
  EXPECT_EQ(run(show, order).out, "ordered = this/stays/\n1\n");
  EXPECT_STREQ(std::getenv("HELIXCHECK_OWN"), "own") << "this process keeps its own";
}

TEST(Spawn, PutsTheChildIntoAGroupOfItsOwn) {
  EXPECT_EQ(run("read -r pid name state parent group rest < /proc/$$/stat\n"
                "[ \"$group\" = $$ ] && echo leader")
                .out,
            "leader\n");
}

TEST(Spawn, InheritsOnlyWhatIsOrdered) {
  for (int file = 3; file < 1024; ++file) fcntl(file, F_SETFD, FD_CLOEXEC);  // of whoever runs this
  const Pipe pipe;
  ChildOrder order;
  order.files = {{pipe.write_end(), 9}};
  // Nothing that opens a file itself, such as a pipeline.
  const std::string list =
      "n=0; while [ $n -lt 1024 ]; do [ -e /proc/$$/fd/$n ] && printf '%s ' $n; n=$((n + 1)); done";
  EXPECT_EQ(run(list).out, "0 1 2 ");
  EXPECT_EQ(run(list, order).out, "0 1 2 9 ");
}

// Numbers in the child that are those of other files here.
TEST(Spawn, GivesFilesTheirNumbersInWhateverOrder) {
  Pipe one, two;
  const int a = one.write_end(), b = two.write_end();
  ChildOrder order;
  order.files = {{a, b}, {b, a}, {a, 9}};
  const Ended ended = run(fmt::format("echo A > /proc/self/fd/{}; echo B > /proc/self/fd/{}; "
                                      "echo 9 >&9",
                                      b, a),
                          order);
  EXPECT_EQ(ended.err, "");
  one.close_write_end();
  two.close_write_end();
  EXPECT_EQ(all_from(one.read_end()), "A\n9\n");
  EXPECT_EQ(all_from(two.read_end()), "B\n");
}

TEST(Spawn, LeavesNoFilesOpenHere) {
  const auto lowest = [] {
    const int file = dup(STDIN_FILENO);
    close(file);
    return file;
  };
  const int before = lowest();
  for (int i = 0; i < 3; ++i) run("true");
  EXPECT_EQ(lowest(), before);
  const int high = fcntl(STDIN_FILENO, F_DUPFD, 64);
  close(high);
  EXPECT_EQ(high, 64);
}

TEST(Spawn, SaysWhatCannotBeStarted) {
  ChildOrder order;
  order.arguments = {"/no/such command"};
  try {
    spawn(order);
    FAIL();
  } catch (const ResourceError& error) {
    EXPECT_STREQ(error.what(), "/no/such command: cannot be started: No such file or directory");
  }
  order.arguments = {"/bin/true"};
  order.output = 4000;
  EXPECT_THROW(spawn(order), ResourceError) << "a file that is not open";
}

TEST(Pipes, EndsAreClosedOnce) {
  Pipe pipe;
  const int end = pipe.read_end();
  EXPECT_NE(fcntl(end, F_GETFD) & FD_CLOEXEC, 0);
  pipe.close_read_end();
  EXPECT_EQ(pipe.read_end(), -1);
  const int reused = dup(STDIN_FILENO);
  EXPECT_EQ(reused, end);
  pipe.close_read_end();
  EXPECT_NE(fcntl(reused, F_GETFD), -1) << "somebody else's by now";
  close(reused);
}

TEST(Signals, HaveNames) {
  EXPECT_EQ(signal_name(SIGSEGV), "SIGSEGV");
  EXPECT_EQ(signal_name(SIGKILL), "SIGKILL");
  EXPECT_EQ(signal_name(99), "signal 99");
}

}  // namespace
}  // namespace helixcheck
