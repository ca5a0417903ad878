// The end of a campaign's run, for people and for programs.

#include "fuzz/summary.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace helixcheck {
namespace {

CampaignReport report() {
  CampaignReport made;
  CampaignRecord& campaign = made.campaign;
  campaign.id = 3;
  campaign.uid = "0f";
  campaign.seed = ~std::uint64_t{0};
  campaign.state = "finished";
  campaign.subject = "cpu";
  campaign.commit = "0123456789ab";
  campaign.jobs = 2;
  Totals& totals = campaign.totals;
  totals.seconds = 100;
  totals.busy_seconds = 150;
  totals.cases = 250'000;
  totals.unjudged = 11;
  totals.subject_runs = 300'000;
  totals.pairs = 12'345;
  totals.tuples = 600'001;
  totals.interesting = 42;
  totals.restarts = 5;
  totals.worst_ratio = 0.96875;
  Finding& finding = made.found.emplace_back();
  finding.signature = {"equivalence", "cpu", "crash", "attend"};
  finding.blame.sentence = "the worker was ended by SIGSEGV";
  made.again = {{"ranks/cpu/relation/-", 7}};
  return made;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Summary, TellsPeopleWhatHappened) {
  const std::string text = describe(report(), "./mine.so");
  for (const char* part :
       {"campaign 3, seed 18446744073709551615, finished: 250000 cases in 100 s, 2500/s; 11 "
        "unjudged;"
        " 300000 subject runs\n",
        "12345 pairs and 600001 triples of feature levels; 42 cases kept; worst error / bound "
        "0.969",
        "2 workers, 5 restarts; 25.0 % of their time outside of cases\n",
        "1 new findings, 1 known ones seen again\n", "  again, 7 cases: ranks/cpu/relation/-\n",
        "finding 1, ", "equivalence/cpu/crash/attend", "the worker was ended by SIGSEGV",
        "--subject ./mine.so"}) {
    EXPECT_TRUE(holds(text, part)) << part << "\n" << text;
  }
  EXPECT_FALSE(holds(text, "gone on with"));
  EXPECT_FALSE(holds(text, "could not be written"));
}

TEST(Summary, SaysWhatIsSpecial) {
  CampaignReport special = report();
  special.resumed = special.unsaved = true;
  const std::string text = describe(special, "cpu");
  EXPECT_TRUE(holds(text, "finished (gone on with): ")) << text;
  EXPECT_TRUE(holds(text, "the store could not be written to the end")) << text;
}

TEST(Summary, OfNothingIsNoDivisionByZero) {
  CampaignReport nothing;
  nothing.campaign.jobs = 0;
  const std::string text = describe(nothing, "cpu");
  EXPECT_TRUE(holds(text, "0 cases in 0 s, 0/s")) << text;
  EXPECT_TRUE(holds(text, "0.0 % of their time")) << text;
  const auto json = nlohmann::json::parse(json_of(nothing, "cpu"));
  EXPECT_EQ(json["campaign"]["cases_per_second"], 0);
}

TEST(Summary, TellsProgramsTheSame) {
  const auto json = nlohmann::json::parse(json_of(report(), "./mine.so"));
  const nlohmann::json& campaign = json["campaign"];
  EXPECT_TRUE(json["schema"].is_number());
  EXPECT_EQ(campaign["id"], 3);
  EXPECT_EQ(campaign["uid"], "0f");
  EXPECT_EQ(campaign["seed"], ~std::uint64_t{0});
  EXPECT_EQ(campaign["state"], "finished");
  EXPECT_EQ(campaign["cases"], 250'000);
  EXPECT_EQ(campaign["cases_per_second"], 2500);
  EXPECT_EQ(campaign["triples"], 600'001);
  EXPECT_EQ(campaign["restarts"], 5);
  EXPECT_EQ(campaign["share_outside_cases"], 0.25);
  EXPECT_EQ(json["resumed"], false);
  EXPECT_EQ(json["interrupted"], false);
  ASSERT_EQ(json["findings"].size(), 1u);
  EXPECT_EQ(json["findings"][0]["signature"], "equivalence/cpu/crash/attend");
  EXPECT_EQ(json["again"]["ranks/cpu/relation/-"], 7);
}

}  // namespace
}  // namespace helixcheck
