// What is written is read again, by the writer and by others.

#include "store/store.hpp"

#include <cmath>
#include <fstream>
#include <gtest/gtest.h>
#include <limits>

#include "sample_records.hpp"
#include "scenario/error.hpp"

namespace helixcheck {
namespace {

namespace fs = std::filesystem;

TEST(Store, KeepsCampaigns) {
  const StoreFolder at;
  CampaignRecord first = sample_campaign(), second;
  {
    Store store(at.path());
    EXPECT_FALSE(store.last_campaign());
    first.id = store.begin_campaign(first);
    second.id = store.begin_campaign(second);
    EXPECT_EQ(first.id, 1);
    EXPECT_EQ(second.id, 2);
  }
  const std::vector<CampaignRecord> stored = StoreReader(at.path()).campaigns();
  ASSERT_EQ(stored.size(), 2u);
  EXPECT_EQ(stored[0].uid.size(), 32u);
  EXPECT_NE(stored[0].uid, stored[1].uid);
  first.uid = stored[0].uid;
  second.uid = stored[1].uid;
  EXPECT_EQ(stored[0], first);
  EXPECT_EQ(stored[1], second) << "with nothing but what a record begins with";
  EXPECT_EQ(StoreReader(at.path()).last_campaign(), second);
}

TEST(Store, UpdatesACampaignButItsUid) {
  const StoreFolder at;
  Store store(at.path());
  CampaignRecord campaign = sample_campaign();
  campaign.id = store.begin_campaign(campaign);
  const CampaignRecord other = *store.campaign(store.begin_campaign(sample_campaign()));
  campaign.uid = store.campaign(campaign.id)->uid;
  campaign.state = "finished";
  campaign.ended = "2026-11-23T05:00:00Z";
  campaign.next_case = 9000;
  campaign.totals = sample_totals(7);
  CampaignRecord without_uid = campaign;
  without_uid.uid.clear();
  store.update_campaign(without_uid);
  EXPECT_EQ(store.campaign(campaign.id), campaign);
  EXPECT_EQ(store.campaign(campaign.uid), campaign);
  EXPECT_EQ(store.campaign(other.id), other);
  campaign.id = 12;
  EXPECT_TRUE(holds(sentence_of<InputError>([&] { store.update_campaign(campaign); }),
                    "campaign.db: there is no campaign 12"));
}

TEST(Store, KeepsRowsInTheirOrderAndByCampaign) {
  const StoreFolder at;
  Store store(at.path());
  const std::int64_t one = store.begin_campaign({}), two = store.begin_campaign({});
  const ProgressRecord early{one, "2026-11-22T20:15:03Z", sample_totals(1)};
  const ProgressRecord late{one, "2026-11-22T20:15:04Z", sample_totals(2)};
  const EventRecord event{two, "2026-11-22T20:15:03Z", "worker 1 was killed by the system"};
  const InterestingRecord found = sample_interesting(one);
  const InterestingRecord without_genome{two, 8, {}, "equivalence", "{}", "3 new triples"};
  store.add_progress(early);
  store.add_progress(late);
  store.add_event(event);
  store.add_interesting(found);
  store.add_interesting(without_genome);
  EXPECT_EQ(store.progress(one), (std::vector{early, late}));
  EXPECT_TRUE(store.progress(two).empty());
  EXPECT_EQ(store.events(two), std::vector{event});
  EXPECT_TRUE(store.events(one).empty());
  EXPECT_EQ(store.interesting(one), std::vector{found});
  EXPECT_EQ(store.interesting(two), std::vector{without_genome});
}

TEST(Store, FindsInterestingCasesOfASubject) {
  const StoreFolder at;
  Store store(at.path());
  CampaignRecord campaign;
  std::vector<InterestingRecord> found;
  for (const char* subject : {"cpu", "cuda", "cpu"}) {
    campaign.subject = subject;
    found.push_back(sample_interesting(store.begin_campaign(campaign)));
    store.add_interesting(found.back());
  }
  EXPECT_EQ(store.interesting_of_subject("cpu"), (std::vector{found[0], found[2]}));
  EXPECT_TRUE(store.interesting_of_subject("none").empty());
}

TEST(Store, KeepsTheLastCases) {
  const StoreFolder at;
  Store store(at.path());
  const std::int64_t campaign = store.begin_campaign({});
  std::vector<CaseRecord> cases;
  for (const double ratio : {0.5, std::numeric_limits<double>::infinity(), 0.0}) {
    cases.push_back(sample_case(campaign));
    cases.back().index = cases.size();
    cases.back().ratio = ratio;
    store.add_case(cases.back());
  }
  EXPECT_EQ(store.cases(campaign), cases);
  EXPECT_EQ(store.cases(campaign, 2), (std::vector{cases[1], cases[2]}));
  EXPECT_EQ(store.cases(campaign, 9), cases);
}

TEST(Store, KeepsRatiosThatAreNotANumber) {
  const StoreFolder at;
  Store store(at.path());
  CampaignRecord campaign;
  campaign.totals.worst_ratio = std::nan("");
  campaign.id = store.begin_campaign(campaign);
  CaseRecord run = sample_case(campaign.id);
  run.ratio = std::nan("");
  store.add_case(run);
  EXPECT_TRUE(std::isnan(store.last_campaign()->totals.worst_ratio));
  EXPECT_TRUE(std::isnan(store.cases(campaign.id).at(0).ratio));
}

TEST(Store, WritesSeveralChangesAsOne) {
  const StoreFolder at;
  Store store(at.path());
  const std::int64_t campaign = store.begin_campaign({});
  const auto changes = [&](bool fails) {
    store.write([&] {
      store.add_event({campaign, "", "first"});
      store.save_finding(sample_finding());
      store.write([&] { store.add_event({campaign, "", "second"}); });
      if (fails) throw InputError("no");
    });
  };
  EXPECT_THROW(changes(true), InputError);
  EXPECT_TRUE(store.events(campaign).empty());
  EXPECT_TRUE(store.findings().empty());
  changes(false);
  EXPECT_EQ(store.events(campaign).size(), 2u);
  EXPECT_EQ(store.findings().size(), 1u);
}

TEST(Store, IsSeenByReadersWhileItIsWritten) {
  const StoreFolder at;
  for (const JournalMode journal : {JournalMode::write_ahead, JournalMode::rollback}) {
    fs::remove(at.path());
    Store store(at.path(), journal);
    const std::int64_t campaign = store.begin_campaign({});
    EXPECT_EQ(fs::exists(at.path().string() + "-wal"), journal == JournalMode::write_ahead);
    const StoreReader reader(at.path());
    EXPECT_TRUE(reader.events(campaign).empty());
    store.add_event({campaign, "", "one"});
    EXPECT_EQ(reader.events(campaign).size(), 1u);
  }
}

TEST(Store, RestsAsASingleFile) {
  const StoreFolder at;
  { Store(at.path()).begin_campaign({}); }
  { Store(at.path()).begin_campaign({}); }
  EXPECT_EQ(StoreReader(at.path()).campaigns().size(), 2u);
  const auto files = fs::directory_iterator(at.folder().path());
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
}

TEST(Store, MakesTheFoldersAboveIt) {
  const StoreFolder at;
  const fs::path deep = at.folder().path() / "night" / "shards" / "7.db";
  { Store(deep).begin_campaign({}); }
  EXPECT_EQ(StoreReader(deep).campaigns().size(), 1u);
}

TEST(Store, HasSummariesForTheShell) {
  const StoreFolder at;
  Store store(at.path());
  CampaignRecord campaign = sample_campaign();
  campaign.totals.seconds = 7200;
  campaign.totals.cases = 720'000;
  for (int night = 1; night <= 2; ++night) {
    FindingRecord finding = sample_finding();
    finding.last_campaign = store.begin_campaign(campaign);
    finding.count = 3;
    store.save_finding(finding);
  }
  store.save_pairs(std::vector<PairRecord>{{2, "kvp 3", "tpa 1", 5}});
  const Connection shell(at.path(), Connection::Access::kRead);
  EXPECT_EQ(shell.text("SELECT group_concat(id || ' ' || seed || ' ' || hours || ' ' || "
                       "cases_per_second || ' ' || findings || ' ' || new_findings, '; ') "
                       "FROM campaign_summary"),
            "1 18364758544493064720 2.0 100 1 1; 2 18364758544493064720 2.0 100 1 0");
  EXPECT_EQ(shell.text("SELECT signature || ' ' || cases || ' ' || campaigns FROM finding_summary"),
            "equivalence/cpu/value/attend 6 2");
  EXPECT_EQ(shell.text("SELECT campaign || ' ' || a || ' ' || b || ' ' || cases FROM pairs"),
            "2 kvp 3 tpa 1 5");
}

TEST(Store, ClearsACampaign) {
  const StoreFolder at;
  Store store(at.path());
  const std::int64_t one = store.begin_campaign({}), two = store.begin_campaign({});
  for (const std::int64_t campaign : {one, two}) {
    FindingRecord finding = sample_finding();
    finding.last_campaign = campaign;
    store.save_finding(finding);
    store.add_progress({campaign, "", {}});
    store.add_case(sample_case(campaign));
    store.add_event({campaign, "", "text"});
    store.add_interesting(sample_interesting(campaign));
    store.save_taps(std::vector<TapRecord>{{campaign, "lse", 1, {{-3, 2}}}});
    store.save_pairs(std::vector<PairRecord>{{campaign, "kvp 1", "tpa 1", 2}});
  }
  store.clear_campaign(one);
  EXPECT_TRUE(store.campaign(one));
  EXPECT_EQ(store.progress(one).size() + store.cases(one).size() + store.events(one).size() +
                store.interesting(one).size() + store.taps(one).size() + store.pairs(one).size() +
                store.sightings(one).size(),
            0u);
  EXPECT_EQ(store.finding(sample_finding().signature)->count, 1u) << "of the other one";
  for (const std::size_t kept :
       {store.progress(two).size(), store.cases(two).size(), store.events(two).size(),
        store.interesting(two).size(), store.taps(two).size(), store.pairs(two).size(),
        store.sightings(two).size()}) {
    EXPECT_EQ(kept, 1u);
  }
}

}  // namespace
}  // namespace helixcheck
