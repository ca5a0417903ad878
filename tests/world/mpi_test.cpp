// The MPI world against the simulated one, and what becomes of a job whose ranks disagree, die or
// hang. Every job runs in a temporary directory of its own, which must be empty afterwards.

#include "world/mpi.hpp"

#include <array>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scenario/error.hpp"

namespace helixcheck {
namespace {

struct Job {
  int status = -1;
  std::string output;  // stdout and stderr
  bool left_nothing = false;
};

// Ended with status 124 if it outlives the promise that no job hangs for more than 30 s.
Job run_job(const std::string& arguments) {
  std::string folder = std::filesystem::temp_directory_path() / "helixcheck-mpi-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  const std::string command = fmt::format(
      "TMPDIR={0} OMPI_MCA_btl_vader_backing_directory={0} timeout 30 {1} {2} 2>&1 </dev/null",
      folder, MPI_RANKS, arguments);
  std::FILE* pipe = popen(command.c_str(), "r");
  Job job;
  std::array<char, 4096> text;
  while (const std::size_t count = std::fread(text.data(), 1, text.size(), pipe)) {
    job.output.append(text.data(), count);
  }
  const int status = pclose(pipe);
  job.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  job.left_nothing = std::filesystem::remove_all(folder) == 1;
  return job;
}

class Mpi : public testing::Test {
 protected:
  void SetUp() override {
    if (!mpi::available()) GTEST_SKIP() << mpi::library();
  }
};

std::string host() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

void expect_line(const Job& job, const std::string& line) {
  EXPECT_NE(job.output.find(line), std::string::npos)
      << "expected: " << line << "\nprinted: " << job.output;
}

// The one line that names rank `rank` in the stage where `misbehave` of mpi_ranks puts it.
void expect_named(const Job& job, int rank, const std::string& what) {
  EXPECT_EQ(job.status, 1) << job.output;
  EXPECT_TRUE(job.left_nothing);
  expect_line(job, fmt::format("helixcheck: rank {} on host {} {} in stage attend of step 7", rank,
                               host(), what));
  const std::size_t first = job.output.find("helixcheck: rank");
  EXPECT_EQ(job.output.find("helixcheck: rank", first + 1), std::string::npos) << job.output;
}

void expect_same(int ranks, const std::string& world, const std::string& bytes,
                 const std::string& memory = "host") {
  const Job job = run_job(fmt::format("{} compare {} {} {}", ranks, world, bytes, memory));
  EXPECT_EQ(job.status, 0) << job.output;
  expect_line(job, "ranks: same");
  EXPECT_TRUE(job.left_nothing);
}

TEST_F(Mpi, TwoRanksMatchSim) {
  expect_same(2, "2 1", "1000");
  expect_same(2, "1 2", "100000");
}

TEST_F(Mpi, ThreeRanksMatchSim) {
  expect_same(3, "3 1", "4096");
}
TEST_F(Mpi, FourRanksMatchSim) {
  expect_same(4, "2 2", "0");
}
TEST_F(Mpi, FewerRanksThanTheJobMatchSim) {
  expect_same(4, "2 1", "77");
}
TEST_F(Mpi, LargeBlocksMatchSim) {
  expect_same(2, "2 1", "20000000");
}

TEST_F(Mpi, DeviceMemoryStagedMatchesSim) {
  expect_same(3, "3 1", "4096", "staged");
  expect_same(4, "2 2", "70000", "staged");
}

TEST_F(Mpi, DeviceMemoryWithoutNcclIsStaged) {
  expect_same(2, "2 1", "1000", "auto");
}

TEST_F(Mpi, TransportThatIsNotThereIsRefusedByAllRanks) {
  const Job job = run_job("2 compare 2 1 64 sendrecv");
  EXPECT_EQ(job.status, 3);
  expect_line(job, "transport sendrecv: rank 0: ");
}

TEST_F(Mpi, MoreRanksThanTheJobAreRefused) {
  const Job job = run_job("2 compare 3 1 64 host");
  EXPECT_EQ(job.status, 3);
  expect_line(job, "a world of kvp 3 x tpa 1 needs 3 ranks, the MPI job has 2");
}

TEST_F(Mpi, StatusOfRankZeroPassesThroughWithoutABanner) {
  for (const int status : {0, 2}) {
    const Job job = run_job(fmt::format("2 status {}", status));
    EXPECT_EQ(job.status, status);
    EXPECT_EQ(job.output, "");
    EXPECT_TRUE(job.left_nothing);
  }
}

TEST_F(Mpi, DisagreementNamesTheRanks) {
  const Job job = run_job("3 disagree");
  EXPECT_EQ(job.status, 1);
  EXPECT_EQ(job.output,
            "collective mismatch at step 2: ranks 0, 2 enter all_to_all of 4096 bytes within KVP "
            "groups, rank 1 enters all_gather of 64 bytes\n");
}

TEST_F(Mpi, RankThatLeavesEarlyIsNamedAtOnce) {
  const Job job = run_job("2 leave");
  EXPECT_EQ(job.status, 1);
  expect_line(job, "rank 1 enters no collective, its world has ended");
}

TEST_F(Mpi, RankThatIsKilledIsNamed) {
  expect_named(run_job("3 fall 1 kill"), 1, "died");
}
TEST_F(Mpi, RankZeroThatIsKilledIsNamed) {
  expect_named(run_job("2 fall 0 kill"), 0, "died");
}
TEST_F(Mpi, RankThatEndsUnseenIsNamed) {
  expect_named(run_job("2 fall 1 _exit"), 1, "died");
}
TEST_F(Mpi, RankThatExitsIsNamed) {
  expect_named(run_job("2 fall 1 exit"), 1, "called exit");
}
TEST_F(Mpi, RankThatSleepsIsNamed) {
  expect_named(run_job("2 fall 1 sleep"), 1, "hangs");
}
TEST_F(Mpi, RankThatIsStoppedIsNamed) {
  expect_named(run_job("2 fall 1 stop"), 1, "is stopped");
}

TEST_F(Mpi, RankThatCrashesIsNamedWithItsSignal) {
  expect_named(run_job("2 fall 1 segv"), 1, "died of SIGSEGV");
  expect_named(run_job("2 fall 1 abort"), 1, "died of SIGABRT");
}

TEST_F(Mpi, RankThatIsTerminatedIsNamed) {
  expect_named(run_job("2 fall 1 term"), 1, "was ended by SIGTERM");
}

TEST_F(Mpi, CrashOfAllRanksIsNamedOnce) {
  const Job job = run_job("2 fall -1 segv");
  EXPECT_EQ(job.status, 1);
  expect_line(job, "died of SIGSEGV in stage attend of step 7");
}

TEST_F(Mpi, RanksThatWaitForEachOtherEnd) {
  const Job job = run_job("2 fall 1 forget");
  EXPECT_EQ(job.status, 1);
  expect_line(job, "helixcheck: the ranks wait for each other: rank 0 on host");
}

TEST_F(Mpi, TimeBetweenWorldsHasNoLimit) {
  const Job job = run_job("2 pause");
  EXPECT_EQ(job.status, 0);
  EXPECT_EQ(job.output, "");
}

TEST_F(Mpi, BufferedOutputSurvivesAHang) {
  expect_line(run_job("2 fall 0 sleep"), "rank 1 is up");
}

TEST_F(Mpi, AbortEndsTheJobWithItsStatusAndReason) {
  const Job job = run_job("2 give_up 1 2");
  EXPECT_EQ(job.status, 2);
  expect_line(job, "helixcheck: rank 1 on host " + host() + " gave up in stage start: had enough");
}

TEST_F(Mpi, SanitizersSeeALeakAmongThoseOfMpi) {
#ifdef HELIXCHECK_ASAN
  EXPECT_EQ(run_job("2 status 0").status, 0) << "leaks inside MPI are forgiven";
  const Job job = run_job("2 leak");
  EXPECT_EQ(job.status, 99);
  expect_line(job, "Direct leak of 1000 byte(s)");
#else
  GTEST_SKIP() << "this build has no AddressSanitizer";
#endif
}

TEST_F(Mpi, ProgramThatDoesNotStartIsNoFinding) {
  EXPECT_THROW(mpi::launch(2, {"/nonexistent/program"}), ResourceError);
}

TEST_F(Mpi, MissingMpirunIsNamed) {
  const std::string path = getenv("PATH");
  setenv("PATH", "/nonexistent", 1);
  EXPECT_THROW(mpi::launch(2, {"/bin/true"}), ResourceError);
  setenv("PATH", path.c_str(), 1);
}

}  // namespace
}  // namespace helixcheck
