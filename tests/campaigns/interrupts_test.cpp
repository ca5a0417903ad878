// Ctrl-C and its relatives: the campaign ends in order and soon, and goes on when it is asked to.

#include <algorithm>
#include <csignal>
#include <gtest/gtest.h>
#include <thread>

#include "campaigns/campaign.hpp"

namespace helixcheck {
namespace {

using std::chrono::seconds;

// Whether a process has a handler for a signal.
bool catches(int process, int signal) {
  const std::string status = contents_of("/proc/" + std::to_string(process) + "/status");
  const std::string mark = "SigCgt:";
  const std::size_t at = status.find(mark);
  if (at == std::string::npos) return false;
  return (std::stoull(status.substr(at + mark.size()), nullptr, 16) >> (signal - 1) & 1) != 0;
}

class Interrupt : public testing::TestWithParam<int> {};

TEST_P(Interrupt, EndsInOrder) {
  const CampaignFolder folder;
  RunningCampaign campaign(folder, "--seed 5 --time 1000");
  ASSERT_TRUE(
      campaign.wait_for([&] { return folder.has_campaign() && !campaign.workers().empty(); }));
  kill(campaign.process(), GetParam());
  ASSERT_EQ(campaign.wait(seconds(30)), 130) << campaign.err();
  EXPECT_NE(campaign.out().find("campaign 1, seed 5, interrupted: "), std::string::npos)
      << campaign.out();
  const CampaignRecord interrupted = folder.last();
  EXPECT_EQ(interrupted.state, "interrupted");
  EXPECT_TRUE(processes_with(folder.path().string()).empty());
  const std::uint64_t cases = interrupted.next_case + 20;
  const CommandResult again = folder.run("--seed 5 --cases " + std::to_string(cases));
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_NE(again.out.find("campaign 1, seed 5, finished (gone on with): "), std::string::npos)
      << again.out;
  EXPECT_EQ(folder.last().next_case, cases);
  EXPECT_EQ(folder.last().totals.cases + folder.last().totals.unjudged, cases) << "each case once";
}

std::string name_of_signal(const testing::TestParamInfo<int>& signal) {
  return signal.param == SIGINT ? "Int" : "Term";
}

INSTANTIATE_TEST_SUITE_P(Signals, Interrupt, testing::Values(SIGINT, SIGTERM), name_of_signal);

// A finding that was being shrunk waits as it was seen. Case 3 sleeps and is the last: a later one
// might take longer than its limit on a starved machine, and be a finding of its own.
TEST(Interrupts, EndShrinking) {
  const CampaignFolder folder("sleep");
  const std::string search = "--jobs 1 --seed 1 --unguided --cases 4 --case-timeout 2 ";
  {
    RunningCampaign campaign(folder, search + "--shrink-time 600");
    ASSERT_TRUE(
        campaign.wait_for([&] { return folder.has_campaign() && !folder.findings().empty(); }));
    kill(campaign.process(), SIGINT);
    ASSERT_EQ(campaign.wait(seconds(30)), 1) << campaign.err();
    EXPECT_NE(campaign.out().find("not confirmed yet"), std::string::npos) << campaign.out();
  }
  EXPECT_EQ(folder.last().state, "interrupted");
  ASSERT_EQ(folder.findings().size(), 1u);
  EXPECT_EQ(folder.findings()[0].state, "new");
  const CommandResult again = folder.run(search + "--shrink-time 1");
  EXPECT_EQ(again.status, 1) << again.err;
  ASSERT_EQ(folder.findings().size(), 1u);
  EXPECT_EQ(folder.findings()[0].state, "confirmed") << folder.findings()[0].note;
}

// Interrupts the campaign twice, the second time while it is stopped and has taken notice of the
// first: whatever the machine is busy with, it cannot end in order in between. False: it has.
bool interrupt_twice(const RunningCampaign& campaign) {
  const int process = campaign.process();
  kill(process, SIGINT);
  for (;;) {
    kill(process, SIGSTOP);
    for (char state = state_of_process(process); state != 'T'; state = state_of_process(process)) {
      if (state == '\0' || state == 'Z') return false;
      std::this_thread::yield();
    }
    if (!catches(process, SIGINT)) break;
    kill(process, SIGCONT);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // so long it may go on
  }
  kill(process, SIGINT);
  kill(process, SIGCONT);
  return true;
}

bool gone(int process) {
  const char state = state_of_process(process);
  return state == '\0' || state == 'Z';  // dead and not yet collected
}

// False, with nothing checked: the first interrupt had ended the campaign when the second came.
bool ends_at_once() {
  const CampaignFolder folder("sleep");
  const std::filesystem::path lines = folder.path() / "lines";
  RunningCampaign campaign(folder,
                           "--jobs 1 --seed 1 --unguided --time 1000 --case-timeout 100 "
                           "--observations " +
                               lines.string());
  const bool sleeps = campaign.wait_for([&] {
    const std::string text = contents_of(lines);
    return std::count(text.begin(), text.end(), '\n') >= 3;
  });
  if (!sleeps) {
    ADD_FAILURE() << campaign.err();
    return true;
  }
  const std::vector<int> workers = campaign.workers();
  if (!interrupt_twice(campaign)) return false;
  EXPECT_EQ(campaign.wait(seconds(30)), 128 + SIGINT);
  EXPECT_EQ(campaign.out(), "");
  EXPECT_EQ(folder.last().state, "running");
  EXPECT_EQ(workers.size(), 1u);
  for (int i = 0; i < 1000 && !processes_with(folder.path().string()).empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(processes_with(folder.path().string()).empty());
  EXPECT_TRUE(std::all_of(workers.begin(), workers.end(), gone));
  return true;
}

// The first one waits a second for the worker, which sleeps in case 3. On a machine that is starved
// that second may be over before anybody can send the second one.
TEST(Interrupts, ASecondOneEndsItAtOnce) {
  int attempts = 1;
  while (!ends_at_once()) ASSERT_LT(attempts++, 10) << "the first one ends it at once";
}

}  // namespace
}  // namespace helixcheck
