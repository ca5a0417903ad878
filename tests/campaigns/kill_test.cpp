// A campaign that is killed at random moments, its workers too, and started again each time: what
// it had found stays found.

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fmt/format.h>
#include <functional>
#include <gtest/gtest.h>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "campaigns/campaign.hpp"
#include "fuzz/journal.hpp"
#include "scenario/json.hpp"

namespace helixcheck {
namespace {

const std::string kSearch = "--seed 1 --jobs 2 --shrink-time 2 ", kOneWorker = "--seed 1 ";

// What must not be lost from one look at the store to the next.
struct Seen {
  std::set<std::string> described, fresh;  // signatures; fresh ones are stored as seen only
  Totals totals;
  int campaigns = 0;
};

Seen look_at(const CampaignFolder& folder) {
  const StoreReader store(folder.store());
  store.check_integrity();
  Seen seen;
  for (const FindingRecord& finding : store.findings()) {
    (finding.state == "new" ? seen.fresh : seen.described).insert(finding.signature);
  }
  const std::vector<CampaignRecord> campaigns = store.campaigns();
  seen.campaigns = static_cast<int>(campaigns.size());
  if (!campaigns.empty()) seen.totals = campaigns.back().totals;
  return seen;
}

// The signatures that the command said it had found.
std::set<std::string> said_in(const std::string& text) {
  const std::string mark = "helixcheck: found ";
  std::set<std::string> said;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(mark)) continue;
    said.insert(line.substr(mark.size(), line.find(": ", mark.size()) - mark.size()));
  }
  return said;
}

bool contains_all(const std::set<std::string>& all, const std::set<std::string>& some) {
  return std::includes(all.begin(), all.end(), some.begin(), some.end());
}

void expect_grown(const Totals& before, const Totals& now) {
  EXPECT_GE(now.seconds, before.seconds);
  EXPECT_GE(now.busy_seconds, before.busy_seconds);
  EXPECT_GE(now.cases, before.cases);
  EXPECT_GE(now.unjudged, before.unjudged);
  EXPECT_GE(now.subject_runs, before.subject_runs);
  EXPECT_GE(now.findings, before.findings);
  EXPECT_GE(now.pairs, before.pairs);
  EXPECT_GE(now.tuples, before.tuples);
  EXPECT_GE(now.behaviours, before.behaviours);
  EXPECT_GE(now.interesting, before.interesting);
  EXPECT_GE(now.restarts, before.restarts);
  EXPECT_GE(now.worst_ratio, before.worst_ratio);
}

class Killer {
 public:
  explicit Killer(const std::string& mode) : folder_(mode) {}

  void kill_times(int kills) {
    start();
    for (int i = 0; i < kills; ++i) {
      wait_a_while();
      ASSERT_FALSE(campaign_->wait(std::chrono::milliseconds(0))) << campaign_->err();
      kill_one(i % 3);
    }
    ASSERT_TRUE(campaign_->wait_for([&] {
      return folder_.has_campaign() && !folder_.findings().empty();
    })) << campaign_->err();
    end_campaign();
    expect_whole();
  }

 private:
  // Some moments after the start, after a checkpoint, or after so many cases of a worker: whatever
  // the machine is busy with, the campaign gets somewhere.
  void wait_a_while() {
    switch (random_() % 4) {
      case 0: std::this_thread::sleep_for(std::chrono::milliseconds(random_() % 400)); break;
      case 1:
        campaign_->wait_for([&] {
          return folder_.has_campaign() && folder_.last().totals.cases > seen_.totals.cases;
        });
        break;
      default:
        const std::uint64_t cases = 1 + random_() % 25;
        campaign_->wait_for([&] { return cases_begun() >= cases; });
        std::this_thread::sleep_for(std::chrono::milliseconds(random_() % 20));
    }
  }

  // By the first worker since it was started.
  std::uint64_t cases_begun() const {
    const std::filesystem::path file = folder_.store().string() + ".journals/worker_0.journal";
    return std::filesystem::exists(file) ? CaseJournal(file).begun() : 0;
  }

  void start() { campaign_.emplace(folder_, kSearch + "--time 10000"); }

  void kill_one(int how) {
    std::vector<int> workers = campaign_->workers();
    if (how == 1) {
      campaign_->wait_for([&] { return !(workers = campaign_->workers()).empty(); });
      ASSERT_FALSE(workers.empty()) << campaign_->err();
    }
    if (how == 1) {
      kill(workers[random_() % workers.size()], SIGKILL);
      ++workers_killed_;
      return;
    }
    kill(campaign_->process(), SIGKILL);
    ++supervisors_killed_;
    if (how == 2) {
      for (const int worker : workers) kill(worker, SIGKILL);
      workers_killed_ += static_cast<int>(workers.size());
    }
    EXPECT_EQ(campaign_->wait(std::chrono::seconds(20)), 128 + SIGKILL);
    observe();
    start();
  }

  void observe() {
    said_.merge(said_in(campaign_->err()));
    if (!folder_.has_campaign()) return;
    const Seen now = look_at(folder_);
    EXPECT_TRUE(contains_all(now.described, seen_.described));
    EXPECT_TRUE(contains_all(now.described, said_));
    // A fresh one may turn out to be another look of one that is described.
    for (const std::string& fresh : seen_.fresh) {
      if (now.fresh.contains(fresh) || now.described.contains(fresh)) continue;
      EXPECT_FALSE(now.described.empty()) << fresh;
    }
    if (seen_.campaigns > 0) {
      EXPECT_EQ(now.campaigns, seen_.campaigns);
      expect_grown(seen_.totals, now.totals);
    }
    seen_ = now;
  }

  // With a budget that is used up: what waits is finished, and nothing else.
  void end_campaign() {
    kill(campaign_->process(), SIGKILL);
    campaign_->wait(std::chrono::seconds(20));
    ++supervisors_killed_;
    observe();
    const CommandResult last = folder_.run(kSearch + "--cases 1");
    EXPECT_EQ(last.status, 1) << last.err;
    said_.merge(said_in(last.err));
    const Seen end = look_at(folder_);
    EXPECT_TRUE(contains_all(end.described, seen_.described));
    EXPECT_TRUE(contains_all(end.described, said_));
    EXPECT_TRUE(end.fresh.empty());
    EXPECT_FALSE(end.described.empty());
    EXPECT_EQ(end.campaigns, 1);
    expect_grown(seen_.totals, end.totals);
    seen_ = end;
  }

  void expect_whole() {
    EXPECT_EQ(folder_.last().state, "finished");
    std::set<std::string> signatures;
    for (const std::filesystem::path& file : folder_.corpus_files()) {
      const ScenarioFile stored = load_scenario_file(file);  // throws where it is not whole
      EXPECT_TRUE(signatures.insert(stored.provenance.signature).second) << file;
    }
    for (const FindingRecord& finding : folder_.findings()) {
      EXPECT_EQ(finding.state, "confirmed") << finding.signature << ": " << finding.note;
      EXPECT_TRUE(signatures.contains(finding.signature)) << finding.signature;
      EXPECT_GT(finding.count, 0u) << finding.signature;
    }
    EXPECT_EQ(signatures.size(), seen_.described.size());
    EXPECT_FALSE(std::filesystem::exists(folder_.store().string() + ".journals"));
    EXPECT_TRUE(processes_with(folder_.path().string()).empty());
    std::printf(
        "%d supervisors and %d workers killed; %llu cases, %llu restarts, %zu findings, %zu said\n",
        supervisors_killed_, workers_killed_, static_cast<unsigned long long>(seen_.totals.cases),
        static_cast<unsigned long long>(seen_.totals.restarts), seen_.described.size(),
        said_.size());
  }

  CampaignFolder folder_;
  std::optional<RunningCampaign> campaign_;
  std::mt19937 random_{std::random_device()()};
  Seen seen_;
  std::set<std::string> said_;
  int supervisors_killed_ = 0, workers_killed_ = 0;
};

TEST(Kills, LoseNothingOfASubjectThatIsWrong) {
  Killer("wrong").kill_times(5);
}

TEST(Kills, LoseNothingOfASubjectThatCrashes) {
  Killer("segfault").kill_times(5);
}

TEST(SlowKills, LoseNothingOfASubjectThatIsWrong) {
  Killer("wrong").kill_times(25);
}

TEST(SlowKills, LoseNothingOfASubjectThatCrashes) {
  Killer("segfault").kill_times(25);
}

// Kills the supervisor while it is stopped and has not seen that `come` is true. From time to time
// it may go on, or its worker would soon wait for it.
void kill_unaware(RunningCampaign& campaign, const std::function<bool()>& come) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  while (!come()) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << campaign.err();
    ASSERT_FALSE(campaign.wait(std::chrono::milliseconds(0))) << campaign.err();
    kill(campaign.process(), SIGSTOP);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    if (come()) break;
    kill(campaign.process(), SIGCONT);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  kill(campaign.process(), SIGKILL);
  EXPECT_EQ(campaign.wait(std::chrono::seconds(20)), 128 + SIGKILL);
}

// The budget leaves nothing to run but what was under way.
void expect_kept(const CampaignFolder& folder, const std::string& kind) {
  ASSERT_TRUE(folder.findings().empty()) << "the supervisor was faster";
  const CommandResult again = folder.run(kOneWorker + "--unguided --time 0.001");
  EXPECT_EQ(again.status, 1) << again.err;
  ASSERT_EQ(folder.findings().size(), 1u) << again.err;
  EXPECT_EQ(folder.findings()[0].state, "confirmed");
  EXPECT_EQ(folder.findings()[0].kind, kind);
}

// Only the journal knows of the crash.
TEST(Kills, OfTheSupervisorKeepTheCaseThatHadJustCrashed) {
  const CampaignFolder folder("segfault");
  {
    RunningCampaign campaign(folder, kOneWorker + "--unguided --time 10000");
    ASSERT_TRUE(campaign.wait_for([&] { return !campaign.workers().empty(); })) << campaign.err();
    const int worker = campaign.workers()[0];
    kill_unaware(campaign, [&] { return state_of_process(worker) == 'Z'; });
  }
  expect_kept(folder, "crash");
}

bool has_case_set_aside(const CampaignFolder& folder) {
  const std::filesystem::path journals = folder.store().string() + ".journals";
  if (!std::filesystem::exists(journals)) return false;
  for (const auto& file : std::filesystem::directory_iterator(journals)) {
    if (file.path().extension() == ".case") return true;
  }
  return false;
}

// The worker has told of a wrong value, and gone on; nobody has read of it.
TEST(Kills, OfTheSupervisorKeepTheFailureThatWasTold) {
  const CampaignFolder folder("wrong");
  {
    RunningCampaign campaign(folder, kOneWorker + "--unguided --time 10000");
    ASSERT_TRUE(campaign.wait_for([&] { return !campaign.workers().empty(); })) << campaign.err();
    kill_unaware(campaign, [&] { return has_case_set_aside(folder); });
  }
  expect_kept(folder, "value");
}

}  // namespace
}  // namespace helixcheck
