// Records across processes, and the kernel's view of a process.

#include "world/heartbeat.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace helixcheck::mpi {
namespace {

std::string stage_of(const Record& record) {
  std::array<char, 32> buffer{};
  return std::string(record.stage(buffer));
}

TEST(Record, TellsWhatWasEnteredLast) {
  Record record;
  record.open(3, 77);
  EXPECT_EQ(record.rank(), 3);
  EXPECT_EQ(record.pid(), 77);
  EXPECT_EQ(record.life(), Life::harness);
  record.enter(Life::working, "exchange", 5);
  record.enter(Life::working, "plan", 6);
  EXPECT_EQ(stage_of(record), "plan");
  EXPECT_EQ(record.step(), 6);
  EXPECT_EQ(record.life(), Life::working);
}

TEST(Record, EveryCallIsASignOfLife) {
  Record record;
  const std::uint64_t before = record.beats();
  record.enter(Life::working, "plan", 6);
  record.enter(Life::working, "plan", 6);
  EXPECT_EQ(record.change(Life::waiting), Life::working);
  EXPECT_EQ(record.beats(), before + 3);
}

TEST(Record, CutsLongNames) {
  Record record;
  record.enter(Life::working, std::string(100, 'x'), 0);
  EXPECT_EQ(stage_of(record), std::string(31, 'x'));
}

TEST(Board, IsSharedWithAProcessThatMapsIt) {
  Board board(2);
  const int maker = getpid();
  const pid_t child = fork();
  if (child == 0) {
    Board mine(maker, board.descriptor(), 2);
    mine.records()[1].open(9, getpid());
    _exit(mine.claim_report() ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(board.records()[0].rank(), 0);
  EXPECT_EQ(board.records()[1].rank(), 9);
  EXPECT_EQ(board.records()[1].pid(), child);
  EXPECT_FALSE(board.claim_report()) << "the other process has claimed it";
}

TEST(ProcessState, KnowsLivingStoppedAndDead) {
  EXPECT_EQ(process_state(getpid()), Process::alive);
  const pid_t child = fork();
  if (child == 0) {
    for (;;) pause();
  }
  EXPECT_EQ(process_state(child), Process::alive);
  kill(child, SIGSTOP);
  int status = 0;
  waitpid(child, &status, WUNTRACED);
  EXPECT_EQ(process_state(child), Process::stopped);
  kill(child, SIGKILL);
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  EXPECT_EQ(process_state(child), Process::dead) << "a zombie";
  waitpid(child, &status, 0);
  EXPECT_EQ(process_state(child), Process::dead) << "gone";
}

}  // namespace
}  // namespace helixcheck::mpi
