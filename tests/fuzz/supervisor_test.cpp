// What becomes of orders whose worker ends before it begins them. The first workers are a script
// that reads the begin of its order and ends as it is told; those after them are real.

#include "fuzz/supervisor.hpp"

#include <filesystem>
#include <gtest/gtest.h>

#include "process/frames.hpp"
#include "real_worker.hpp"
#include "run/stopwatch.hpp"
#include "support/command.hpp"

namespace helixcheck {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kCases = 20;
constexpr double kPatience = 120;  // seconds; an order that is lost would be waited for

class Supervised : public testing::Test {
 protected:
  // A campaign whose first `enders` workers get an order and end by `how`, a line of shell.
  CampaignReport run(const std::string& how, int enders, int jobs = 1) {
    Answer ready;
    ready.subject = "cpu";
    const std::string bytes = pack(ready);
    const std::size_t size = bytes.size();
    folder_.write("ready", std::string(reinterpret_cast<const char*>(&size), sizeof size) + bytes);
    std::string script = "#!/bin/sh\nhere='" + folder_.path().string() + "'\n";
    for (int i = 0; i < enders; ++i) {
      script += "if mkdir \"$here/start_" + std::to_string(i) + "\" 2>/dev/null; then\n" +
                "  cat \"$here/ready\" >&4; head -c 1 <&3 >/dev/null; " + how + "\nfi\n";
    }
    const std::string file =
        folder_.write("worker", script + "exec " HELIXCHECK_COMMAND " \"$@\"\n");
    fs::permissions(file, fs::perms::owner_all);
    CampaignOptions options;
    options.store = folder_.path() / ("campaign_" + std::to_string(++campaigns_) + ".db");
    options.plan.subject = "cpu";
    options.plan.seed = 1;
    options.plan.guided = false;
    options.plan.jobs = jobs;
    options.plan.budget_cases = kCases;
    options.worker.arguments = {file, "fuzz", "--subject", "cpu", "--unguided"};
    options.start = start_;
    options.hire_pause = 0;
    options.say = [](const std::string&) {};
    options.interrupted = [watch = Stopwatch()] { return watch.seconds() > kPatience; };
    return run_campaign(options);
  }

  // As if no worker had ended early, but for one restart each.
  void expect_whole(const CampaignReport& report, std::uint64_t restarts) {
    const CampaignReport usual = run("", 0);
    EXPECT_FALSE(report.interrupted) << report.ended_by;
    EXPECT_EQ(report.campaign.state, "finished");
    EXPECT_EQ(report.campaign.next_case, kCases);
    EXPECT_EQ(report.campaign.totals.cases, usual.campaign.totals.cases);
    EXPECT_EQ(report.campaign.totals.unjudged, usual.campaign.totals.unjudged);
    EXPECT_EQ(report.campaign.totals.restarts, restarts);
    EXPECT_TRUE(report.found.empty());
    EXPECT_TRUE(report.waiting.empty());
  }

  TemporaryFolder folder_;
  std::vector<CorpusEntry> start_;

 private:
  int campaigns_ = 0;
};

TEST_F(Supervised, WorkersThatBeginNothingLeaveTheirCasesToOthers) {
  for (const std::string how : {"kill -KILL $$", "kill -SEGV $$", "exit 0", "exit 7"}) {
    SCOPED_TRACE(how);
    expect_whole(run(how, 1), 1);
    fs::remove(folder_.path() / "start_0");
  }
}

TEST_F(Supervised, WorkersThatBeginNothingLeaveScenariosOfTheCorpusToOthers) {
  start_ = {{folder_.path() / "one.json", scenario(false), {}},
            {folder_.path() / "two.json", scenario(false), {}}};
  start_[1].before = {scenario(true)};
  const CampaignReport report = run("kill -KILL $$", 1);
  EXPECT_EQ(report.campaign.totals.cases + report.campaign.totals.unjudged, kCases + 3);
  expect_whole(report, 1);
}

// Where each one is killed, it is not the subject's doing, but there is no use in going on.
TEST_F(Supervised, WorkersThatAreAllKilledEndTheCampaign) {
  const CampaignReport report = run("kill -KILL $$", 1000);
  EXPECT_TRUE(report.interrupted);
  EXPECT_NE(report.ended_by.find("SIGKILL before its first case, 61 times"), std::string::npos)
      << report.ended_by;
  EXPECT_EQ(report.campaign.totals.restarts, 61u);
  EXPECT_TRUE(report.found.empty());
  EXPECT_EQ(report.campaign.next_case, 0u) << "it goes on with all of them";
}

// Three workers that end before their first case are the subject's doing, kills from outside not.
TEST_F(Supervised, WorkersThatBeginNothingEndTheCampaignUnlessTheyAreKilled) {
  expect_whole(run("kill -KILL $$", 4), 4);
  for (int i = 0; i < 4; ++i) fs::remove(folder_.path() / ("start_" + std::to_string(i)));
  const CampaignReport report = run("exit 7", 4);
  EXPECT_TRUE(report.interrupted);
  EXPECT_NE(report.ended_by.find("status 7 before its first case, 3 times"), std::string::npos)
      << report.ended_by;
  EXPECT_EQ(report.campaign.next_case, 0u) << "it goes on with all of them";
}

// The one beside it ends while it is dismissed, which is one too many again.
TEST_F(Supervised, TheLastWorkerThatBeginsNothingIsNotCountedWhileTheOthersLeave) {
  for (const auto& [how, times] :
       {std::pair<std::string, std::string>("exit 7", "3 times"),
        std::pair<std::string, std::string>("kill -KILL $$", "61 times")}) {
    SCOPED_TRACE(how);
    const CampaignReport report = run("sleep 0.1; " + how, 1000, 2);
    EXPECT_TRUE(report.interrupted);
    EXPECT_NE(report.ended_by.find(times), std::string::npos) << report.ended_by;
    for (int i = 0; i < 1000; ++i) fs::remove(folder_.path() / ("start_" + std::to_string(i)));
  }
}

}  // namespace
}  // namespace helixcheck
