// What a campaign runs: as many cases as it was told, each once, the same whatever the number of
// workers; and how it goes on.

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "campaigns/campaign.hpp"

namespace helixcheck {
namespace {

using Json = nlohmann::json;

// Lines of --observations.
class Observed : public testing::Test {
 protected:
  std::vector<Json> run(const CampaignFolder& folder, const std::string& options) const {
    const std::filesystem::path file = folder.path() / "lines.jsonl";
    std::filesystem::remove(file);
    result_ = folder.run(options + " --observations " + file.string());
    std::vector<Json> lines;
    std::istringstream text(contents_of(file));
    for (std::string line; std::getline(text, line);) lines.push_back(Json::parse(line));
    return lines;
  }
  // Scenario and property by the number of the case; fails where one ran twice.
  static std::map<std::uint64_t, std::string> by_case(const std::vector<Json>& lines) {
    std::map<std::uint64_t, std::string> cases;
    for (const Json& line : lines) {
      const std::string text =
          line["property"].get<std::string>() + " " + line["representation"].get<std::string>();
      EXPECT_TRUE(cases.emplace(line["metadata"]["case"].get<std::uint64_t>(), text).second)
          << line["metadata"];
    }
    return cases;
  }
  mutable CommandResult result_;
};

TEST_F(Observed, EachCaseIsRunOnceWhateverTheNumberOfWorkers) {
  const CampaignFolder one, two;
  const std::string options = "--unguided --seed 7 --cases 60 ";
  const auto alone = by_case(run(one, options + "--jobs 1"));
  EXPECT_EQ(result_.status, 0) << result_.err;
  const auto shared = by_case(run(two, options + "--jobs 2"));
  EXPECT_EQ(alone.size(), 60u);
  EXPECT_EQ(alone, shared);
  for (const CampaignFolder* folder : {&one, &two}) {
    const Totals totals = folder->last().totals;
    EXPECT_EQ(totals.cases + totals.unjudged, 60u);
    EXPECT_EQ(folder->last().next_case, 60u);
  }
}

// Workers die on the way, and what they had run and not told is not run again.
TEST_F(Observed, CrashesDoNotChangeWhatIsRun) {
  const CampaignFolder folder("segfault");
  const std::vector<Json> lines =
      run(folder, "--unguided --seed 1 --cases 60 --jobs 2 --shrink-time 0");
  EXPECT_EQ(result_.status, 1);
  const auto cases = by_case(lines);

  ASSERT_EQ(cases.size(), 60u) << result_.err;
  EXPECT_EQ(cases.rbegin()->first, 59u);
  const Totals totals = folder.last().totals;
  EXPECT_EQ(totals.cases + totals.unjudged, 60u);
  EXPECT_GE(totals.restarts, 4u);
  std::uint64_t failed = 0;
  for (const Json& line : lines) failed += line["status"] == "failed" ? 1 : 0;
  EXPECT_EQ(failed, totals.restarts);
  // Without lines, workers tell less often.
  const CampaignFolder quiet("segfault");
  quiet.run("--unguided --seed 1 --cases 60 --jobs 2 --shrink-time 0");
  EXPECT_EQ(quiet.last().totals.cases + quiet.last().totals.unjudged, 60u);
  EXPECT_EQ(quiet.last().totals.restarts, totals.restarts);
}

// Of hypothesis-python/docs/schema_observations.json in HypothesisWorks/hypothesis: all of these
// fields and no others. Lines of one run have one start, whichever worker wrote them.
TEST_F(Observed, LinesAreOfHypothesisSchema) {
  const CampaignFolder folder("wrong");
  const std::vector<Json> lines = run(folder, "--seed 1 --cases 20 --jobs 2 --shrink-time 0");
  EXPECT_EQ(lines.size(), 20u);
  std::set<std::string> statuses;
  for (const Json& line : lines) {
    EXPECT_EQ(line.size(), 12u);
    EXPECT_EQ(line.at("run_start"), lines[0].at("run_start"));
    EXPECT_EQ(line.at("type"), "test_case");
    EXPECT_GT(line.at("run_start").get<double>(), 1.6e9);
    EXPECT_FALSE(line.at("property").get<std::string>().empty());
    statuses.insert(line.at("status").get<std::string>());
    EXPECT_TRUE(line.at("status_reason").is_string());
    EXPECT_TRUE(line.at("representation").is_string());
    EXPECT_TRUE(line.at("arguments").at("scenario").is_object());
    EXPECT_TRUE(line.at("how_generated").is_string());
    EXPECT_TRUE(line.at("features").is_object());
    EXPECT_TRUE(line.at("coverage").is_null());
    EXPECT_GT(line.at("timing").at("execute:test").get<double>(), 0);
    EXPECT_TRUE(line.at("metadata").is_object());
  }
  EXPECT_EQ(statuses, (std::set<std::string>{"failed", "passed"}));
}

TEST(Budgets, ACampaignGoesOnAndAFinishedOneDoesNot) {
  const CampaignFolder folder;
  const std::string search = "--cases 30 ";
  EXPECT_EQ(folder.run(search).status, 0);
  EXPECT_EQ(folder.last().seed, 1u) << "the campaign's number";
  EXPECT_EQ(folder.run(search).status, 0);
  EXPECT_EQ(folder.last().id, 2);
  EXPECT_EQ(folder.last().seed, 2u);
  EXPECT_EQ(folder.run(search + "--seed 9").status, 0);
  EXPECT_EQ(folder.last().id, 3);
  EXPECT_EQ(folder.last().seed, 9u);
  {
    RunningCampaign killed(folder, "--time 1000");
    ASSERT_TRUE(killed.wait_for([&] {
      return folder.last().id == 4 && folder.last().next_case > 0;
    })) << killed.err();
  }
  const CampaignRecord before = folder.last();
  EXPECT_EQ(before.id, 4);
  EXPECT_EQ(before.state, "running");
  const CommandResult other = folder.run(search + "--property equivalence");
  EXPECT_EQ(folder.last().id, 5) << "another search does not go on with it";
  EXPECT_EQ(other.status, 0);
}

TEST(Budgets, ARestartHasWhatIsLeft) {
  const CampaignFolder folder;
  {
    RunningCampaign killed(folder, "--seed 3 --time 1000");
    ASSERT_TRUE(killed.wait_for([&] {
      return folder.has_campaign() && folder.last().next_case > 0;
    })) << killed.err();
  }
  const CampaignRecord before = folder.last();
  ASSERT_GT(before.totals.seconds, 2);
  // Less time than it has used already: it ends at once, with the cases it had.
  const CommandResult late = folder.run("--time 1");
  EXPECT_EQ(late.status, 0) << late.err;
  EXPECT_NE(late.out.find("campaign 1, seed 3, finished (gone on with)"), std::string::npos);
  EXPECT_EQ(folder.last().totals.cases, before.totals.cases);
  EXPECT_EQ(folder.last().next_case, before.next_case);
  EXPECT_GE(folder.last().totals.seconds, before.totals.seconds);
}

TEST(Budgets, ANewOneIsBegunOnDemand) {
  const CampaignFolder folder;
  {
    RunningCampaign killed(folder, "--time 1000");
    ASSERT_TRUE(killed.wait_for([&] { return folder.has_campaign(); }));
    ASSERT_TRUE(killed.wait_for([&] { return !killed.workers().empty(); }));
  }
  EXPECT_EQ(folder.run("--cases 5 --new").status, 0);
  EXPECT_EQ(folder.last().id, 2);
  EXPECT_EQ(folder.last().totals.cases, 5u);
  EXPECT_EQ(StoreReader(folder.store()).campaign(1)->state, "running");
}

TEST(Budgets, TimeEndsACampaign) {
  const CampaignFolder folder;
  const CommandResult result = folder.run("--jobs 2 --time 2 --json");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_GE(folder.last().totals.seconds, 2);
  EXPECT_EQ(folder.last().state, "finished");
  const Json json = Json::parse(result.out);
  EXPECT_EQ(json["campaign"]["state"], "finished");
  EXPECT_EQ(json["campaign"]["cases"], folder.last().totals.cases);
}

TEST(Budgets, WorldMpiRunsCasesInRanks) {
  if (run_command("mpirun --version").status != 0) GTEST_SKIP() << "there is no mpirun";
  const CampaignFolder folder;
  const CommandResult result =
      folder.run("--world mpi --ranks 2 --jobs 1 --cases 12 --case-timeout 60");
  EXPECT_EQ(result.status, 0) << result.out << result.err;
  const Totals totals = folder.last().totals;
  EXPECT_EQ(totals.cases + totals.unjudged, 12u);
  EXPECT_GT(totals.subject_runs, 0u);
  EXPECT_TRUE(processes_with(folder.path().string()).empty());
}

}  // namespace
}  // namespace helixcheck
