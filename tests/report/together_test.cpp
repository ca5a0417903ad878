// Shards as one night: what adds up, what does not, and what is no night.

#include "report/together.hpp"

#include <gtest/gtest.h>

#include "made_up_campaign.hpp"
#include "scenario/error.hpp"

namespace helixcheck {
namespace {

// Two shards: the second ran half as long on a fourth of the workers and saw less.
std::vector<CampaignView> two_shards() {
  std::vector<CampaignView> views(2, made_up_campaign());
  for (CampaignView& view : views) {
    view.campaigns = {view.campaign()};
    view.chosen = 0;
  }
  CampaignView& second = views[1];
  CampaignRecord& campaign = second.campaigns[0];
  campaign.id = 7;
  campaign.jobs = 4;
  campaign.totals.seconds = views[0].campaign().totals.seconds / 2;
  campaign.totals.busy_seconds = 1000;
  campaign.totals.worst_ratio = 0.5;
  campaign.host = "attn-ci-05";
  campaign.started = "2026-11-20T00:00:00Z";
  second.pairs.resize(1);
  second.taps.resize(1);
  second.taps[0].worst_ratio = 0.25;
  second.events.resize(1);
  return views;
}

TEST(Together, AddsWhatAddsUp) {
  const std::vector<CampaignView> shards = two_shards();
  const CampaignRecord &a = shards[0].campaign(), &b = shards[1].campaign();
  const CampaignView all = together(shards);
  ASSERT_EQ(all.campaigns.size(), 1u);
  const CampaignRecord& sum = all.campaign();
  EXPECT_EQ(sum.totals.cases, a.totals.cases + b.totals.cases);
  EXPECT_EQ(sum.totals.busy_seconds, a.totals.busy_seconds + b.totals.busy_seconds);
  EXPECT_EQ(sum.totals.worst_ratio, a.totals.worst_ratio);
  EXPECT_EQ(sum.totals.tuples, a.totals.tuples);
  EXPECT_EQ(sum.jobs, 20);
  EXPECT_EQ(sum.started, b.started);
  EXPECT_EQ(sum.host, "attn-ci-04, attn-ci-05");
  EXPECT_EQ(sum.machine, a.machine) << "both are such";
  EXPECT_EQ(all.cases.size(), shards[0].cases.size() + shards[1].cases.size());
  EXPECT_EQ(all.events.size(), shards[0].events.size() + 1);
  EXPECT_EQ(all.pairs.size(), shards[0].pairs.size());
  EXPECT_EQ(all.pairs[0].count, 2 * shards[0].pairs[0].count);
  for (const TapRecord& tap : all.taps) {
    if (tap.tap != shards[1].taps[0].tap) continue;
    EXPECT_EQ(tap.worst_ratio, shards[0].taps[0].worst_ratio);
    EXPECT_EQ(tap.cases.begin()->second, 2 * shards[0].taps[0].cases.begin()->second);
  }
}

// 16 workers for the whole time and 4 for half of it.
TEST(Together, KeepsTheShareOfTheWorkersTime) {
  const std::vector<CampaignView> shards = two_shards();
  const CampaignRecord &a = shards[0].campaign(), &b = shards[1].campaign();
  const double worked = 16 * a.totals.seconds + 4 * b.totals.seconds;
  const double busy = a.totals.busy_seconds + b.totals.busy_seconds;
  EXPECT_NEAR(share_outside_cases(together(shards).campaign()).value(), 1 - busy / worked, 1e-12);
}

TEST(Together, ProgressEndsWithTheSumAndNeverFalls) {
  const std::vector<CampaignView> shards = two_shards();
  const CampaignView all = together(shards);
  ASSERT_EQ(all.progress.size(), 2 * shards[0].progress.size());
  const Totals& last = all.progress.back().totals;
  EXPECT_EQ(last.cases, 2 * shards[0].progress.back().totals.cases);
  for (std::size_t i = 1; i < all.progress.size(); ++i) {
    EXPECT_GE(all.progress[i].totals.cases, all.progress[i - 1].totals.cases);
    EXPECT_GE(all.progress[i].totals.seconds, all.progress[i - 1].totals.seconds);
  }
}

// Findings of any shard are the night's own.
TEST(Together, FindingsAreItsOwn) {
  const CampaignView all = together(two_shards());
  for (const FindingRecord& finding : all.findings) {
    EXPECT_TRUE(seen_in_campaign(novelty_of(finding, all))) << finding.signature;
  }
  EXPECT_EQ(all.campaign().totals.findings, all.sightings.size());
}

TEST(Together, AShardThatRunsKeepsTheNightOpen) {
  std::vector<CampaignView> shards = two_shards();
  shards[1].campaigns[0].state = "interrupted";
  EXPECT_EQ(together(shards).campaign().state, "interrupted");
  shards[0].campaigns[0].state = "running";
  EXPECT_EQ(together(shards).campaign().state, "running");
  EXPECT_EQ(together(shards).campaign().ended, "");
}

TEST(Together, OneAloneIsItself) {
  std::vector<CampaignView> one = two_shards();
  one.resize(1);
  const CampaignView all = together(one);
  CampaignRecord expected = one[0].campaign();
  expected.totals.pairs = all.campaign().totals.pairs;  // counted, not made up
  expected.totals.findings = all.campaign().totals.findings;
  EXPECT_EQ(all.campaign(), expected);
  EXPECT_EQ(all.progress, one[0].progress);
}

TEST(Together, RefusesDifferentSearches) {
  std::vector<CampaignView> shards = two_shards();
  shards[1].campaigns[0].subject = "cuda";
  try {
    together(shards);
    FAIL() << "no refusal";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("campaigns 3 and 7 of"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace helixcheck
