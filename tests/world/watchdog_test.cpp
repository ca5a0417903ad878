// The watchdog over processes that share a board, without MPI: who is accused, and who is not.
// Jobs under mpirun are in mpi_test.

#include "world/watchdog.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <gtest/gtest.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace helixcheck::mpi {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLimit{800};

struct Ended {
  std::vector<int> statuses;  // as waitpid gives them
  std::string errors;
};

// Lets `ranks` processes run `life` under watchdogs; what they print on stderr comes back.
// `meanwhile` runs in the parent.
Ended run_ranks(int ranks, bool whole_job, const std::function<void(int, Record&)>& life,
                const std::function<void(Board&, const std::vector<pid_t>&)>& meanwhile = nullptr) {
  Board board(ranks);
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("pipe failed");
  std::vector<pid_t> children;
  for (int rank = 0; rank < ranks; ++rank) {
    board.records()[static_cast<std::size_t>(rank)].open(rank, getpid());
    const pid_t child = fork();
    if (child != 0) {
      children.push_back(child);
      continue;
    }
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    Record& mine = board.records()[static_cast<std::size_t>(rank)];
    mine.open(rank, getpid());
    const TerminationBlock block;
    const Watchdog watchdog(board, {static_cast<std::size_t>(rank), whole_job, kLimit});
    life(rank, mine);
    mine.change(Life::finished);
    _exit(0);
  }
  close(ends[1]);
  if (meanwhile) meanwhile(board, children);
  Ended ended;
  std::array<char, 1024> text{};
  ssize_t count = 0;
  while ((count = read(ends[0], text.data(), text.size())) > 0) {
    ended.errors.append(text.data(), static_cast<std::size_t>(count));
  }
  close(ends[0]);
  for (const pid_t child : children) waitpid(child, &ended.statuses.emplace_back(), 0);
  return ended;
}

void sleep_for(milliseconds time) {
  std::this_thread::sleep_for(time);
}

TEST(Watchdog, AccusesNobodyWhoShowsLife) {
  const Ended ended = run_ranks(2, true, [](int rank, Record& mine) {
    for (int i = 0; i < 60; ++i) {
      mine.enter(Life::working, "attend", i);
      sleep_for(milliseconds{20});
    }
    if (rank == 0) mine.change(Life::waiting);
    sleep_for(milliseconds{100});
  });
  EXPECT_EQ(ended.errors, "");
  EXPECT_EQ(ended.statuses, (std::vector<int>{0, 0}));
}

TEST(Watchdog, GivesTheHarnessItsTimeAndThoseWhoWaitForIt) {
  const Ended ended = run_ranks(2, true, [](int rank, Record& mine) {
    mine.enter(rank == 0 ? Life::harness : Life::waiting, "judge", 0);
    sleep_for(2 * kLimit);
  });
  EXPECT_EQ(ended.errors, "");
}

TEST(Watchdog, AccusesTheOneRankOfAJobThatHangs) {
  const Ended ended = run_ranks(1, true, [](int, Record& mine) {
    mine.enter(Life::working, "attend", 4);
    sleep_for(milliseconds{60000});
  });
  EXPECT_NE(ended.errors.find("hangs in stage attend of step 4: no sign of life for 800 ms\n"),
            std::string::npos)
      << ended.errors;
  EXPECT_EQ(WEXITSTATUS(ended.statuses[0]), 1);
}

void until_all_wait(const Board& board) {
  for (const Record& record : board.records()) {
    while (record.life() != Life::waiting) sleep_for(milliseconds{1});
  }
}

void until_dead(pid_t child) {
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
}

// What mpirun does when a job ends early: SIGTERM from the parent to every rank. One after the
// other, so that each rank sees the death of the next.
void terminate_all(Board& board, const std::vector<pid_t>& children) {
  until_all_wait(board);
  for (std::size_t i = children.size(); i-- > 0;) {
    kill(children[i], SIGTERM);
    until_dead(children[i]);
  }
}

void wait_for_ever(int, Record& mine) {
  mine.enter(Life::waiting, "exchange", 2);
  sleep_for(milliseconds{60000});
}

TEST(Watchdog, AccusesARankThatIsStoppedWhileItWaits) {
  const auto stop_one = [](Board& board, const std::vector<pid_t>& children) {
    until_all_wait(board);
    board.records()[0].enter(Life::harness, "judge", 2);  // no deadlock
    kill(children[1], SIGSTOP);
    until_dead(children[0]);
    kill(children[1], SIGKILL);
  };
  const Ended ended = run_ranks(2, true, wait_for_ever, stop_one);
  EXPECT_NE(ended.errors.find(" is stopped in stage exchange of step 2"), std::string::npos)
      << ended.errors;
}

TEST(Watchdog, LeavesSilentlyWhenMpirunEndsTheJob) {
  const Ended ended = run_ranks(3, true, wait_for_ever, terminate_all);
  EXPECT_EQ(ended.errors, "");
  for (const int status : ended.statuses) EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

TEST(Watchdog, TellsWhereAHostWasWhenAnotherHostEndedTheJob) {
  const Ended ended = run_ranks(3, false, wait_for_ever, terminate_all);
  EXPECT_NE(ended.errors.find("helixcheck: rank 0 on host "), std::string::npos);
  EXPECT_NE(ended.errors.find(" was ended by mpirun in stage exchange of step 2\n"),
            std::string::npos);
  EXPECT_EQ(std::count(ended.errors.begin(), ended.errors.end(), '\n'), 1) << ended.errors;
}

TEST(Watchdog, NamesADeadRankEvenIfMpirunIsFaster) {
  const auto kill_one = [](Board& board, const std::vector<pid_t>& children) {
    until_all_wait(board);
    kill(children[1], SIGKILL);
    until_dead(children[1]);
    terminate_all(board, {children[0], children[2]});
  };
  const Ended ended = run_ranks(3, true, wait_for_ever, kill_one);
  EXPECT_NE(ended.errors.find("helixcheck: rank 1 on host "), std::string::npos) << ended.errors;
}

}  // namespace
}  // namespace helixcheck::mpi
