// What is new, what comes first, and the night in one sentence.

#include "report/campaign_view.hpp"

#include <cmath>
#include <gtest/gtest.h>

#include "made_up_campaign.hpp"

namespace helixcheck {
namespace {

const FindingRecord& finding(const CampaignView& view, std::int64_t id) {
  for (const FindingRecord& one : view.findings) {
    if (one.id == id) return one;
  }
  throw std::out_of_range("no such finding");
}

TEST(NoveltyOf, AsksWhichCampaignsSawIt) {
  CampaignView view = made_up_campaign();
  EXPECT_EQ(novelty_of(finding(view, 2), view), Novelty::fresh);
  EXPECT_EQ(novelty_of(finding(view, 1), view), Novelty::again);
  EXPECT_EQ(novelty_of(finding(view, 4), view), Novelty::earlier);
  view.chosen = 1;
  EXPECT_EQ(novelty_of(finding(view, 2), view), Novelty::later);
  EXPECT_EQ(novelty_of(finding(view, 4), view), Novelty::again);
  EXPECT_EQ(novelty_of(finding(view, 1), view), Novelty::earlier)
      << "seen before and after this campaign, but not in it";
}

TEST(InOrder, PutsNewOnesFirstThenTheGraver) {
  std::vector<std::int64_t> ids;
  const CampaignView view = made_up_campaign();
  for (const FindingRecord* one : in_order(view)) ids.push_back(one->id);
  EXPECT_EQ(ids, (std::vector<std::int64_t>{2, 5, 3, 1, 4}));
}

TEST(InOrder, PutsUnknownKindsBetweenEndsOfProcessesAndWrongValues) {
  CampaignView view = made_up_campaign();
  view.findings.resize(3);
  view.findings[0].first_campaign = 3;
  view.findings[0].kind = "value";
  view.findings[1].kind = "of a later version";
  view.findings[2].kind = "leak";
  const std::vector<const FindingRecord*> order = in_order(view);
  EXPECT_EQ(order[0]->kind, "leak");
  EXPECT_EQ(order[1]->kind, "of a later version");
  EXPECT_EQ(order[2]->kind, "value");
}

TEST(InOrder, PutsTheMoreFrequentFirst) {
  CampaignView view = made_up_campaign();
  view.findings = {finding(view, 2), finding(view, 2)};
  view.findings[1].id = 9;
  view.findings[1].count = view.findings[0].count + 1;
  EXPECT_EQ(in_order(view)[0]->id, 9);
}

TEST(Headline, CountsWhatThisCampaignSaw) {
  CampaignView view = made_up_campaign();
  view.campaigns[2].totals.cases = 1000;
  view.campaigns[2].totals.seconds = 20;
  EXPECT_EQ(headline(view), "4 findings, 3 of them new, in 1000 cases: 50 cases/s for 20 s");
  view.campaigns[2].totals.cases = 90;
  view.findings = {finding(view, 1)};
  EXPECT_EQ(headline(view), "1 finding, none of them new, in 90 cases: 4.5 cases/s for 20 s");
  view.findings = {finding(made_up_campaign(), 2)};
  EXPECT_EQ(headline(view), "1 finding, and it is new, in 90 cases: 4.5 cases/s for 20 s");
  EXPECT_EQ(headline(made_up_empty_campaign()), "No findings, in 0 cases");
}

TEST(ShareOutsideCases, IsOfAllWorkersTime) {
  CampaignRecord campaign;
  EXPECT_FALSE(share_outside_cases(campaign));
  campaign.jobs = 4;
  campaign.totals.seconds = 10;
  campaign.totals.busy_seconds = 30;
  EXPECT_DOUBLE_EQ(*share_outside_cases(campaign), 0.25);
  campaign.totals.busy_seconds = 41;  // clocks of several processes
  EXPECT_EQ(*share_outside_cases(campaign), 0);
}

TEST(DurationText, HasTwoUnitsAtMost) {
  EXPECT_EQ(duration_text(0), "0 s");
  EXPECT_EQ(duration_text(12.34), "12.3 s");
  EXPECT_EQ(duration_text(200), "3 min 20 s");
  EXPECT_EQ(duration_text(28920), "8 h 2 min");
}

TEST(Thinned, KeepsTheEnds) {
  std::vector<ProgressRecord> rows(1001);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].totals.cases = i;
  const std::vector<ProgressRecord> few = thinned(rows, 5);
  ASSERT_EQ(few.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(few[i].totals.cases, 250 * i);
  EXPECT_EQ(thinned(rows, 2000).size(), 1001u);
  EXPECT_TRUE(thinned({}, 5).empty());
}

TEST(TellingCases, BeginWithFailuresThenWithTheNearest) {
  CampaignView view = made_up_empty_campaign();
  const auto add = [&view](std::uint64_t index, const char* status, double ratio) {
    CaseRecord one;
    one.index = index;
    one.status = status;
    one.ratio = ratio;
    view.cases.push_back(one);
  };
  add(1, "passed", 0.5);
  add(2, "failed", 3);
  add(3, "passed", 0.9);
  add(4, "failed", std::nan(""));
  add(5, "unjudged", 0);
  std::vector<std::uint64_t> order;
  for (const CaseRecord* one : telling_cases(view, 4)) order.push_back(one->index);
  EXPECT_EQ(order, (std::vector<std::uint64_t>{4, 2, 3, 1}));
}

}  // namespace
}  // namespace helixcheck
