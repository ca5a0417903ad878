// Stores of several jobs become one, as often as it is tried.

#include "store/merge.hpp"

#include <gtest/gtest.h>

#include "sample_records.hpp"
#include "scenario/error.hpp"
#include "store/store.hpp"

namespace helixcheck {
namespace {

namespace fs = std::filesystem;

// All of a campaign but its id, which changes.
struct Contents {
  explicit Contents(const StoreReader& store, const CampaignRecord& of) : campaign(of) {
    progress = store.progress(of.id);
    cases = store.cases(of.id);
    taps = store.taps(of.id);
    pairs = store.pairs(of.id);
    interesting = store.interesting(of.id);
    events = store.events(of.id);
    sightings = store.sightings(of.id);
    campaign.id = 0;
    const auto forget = [](auto& records) {
      for (auto& record : records) record.campaign = 0;
    };
    forget(progress), forget(cases), forget(taps), forget(pairs), forget(interesting);
    forget(events), forget(sightings);
  }
  bool operator==(const Contents&) const = default;

  CampaignRecord campaign;
  std::vector<ProgressRecord> progress;
  std::vector<CaseRecord> cases;
  std::vector<TapRecord> taps;
  std::vector<PairRecord> pairs;
  std::vector<InterestingRecord> interesting;
  std::vector<EventRecord> events;
  std::vector<SightingRecord> sightings;
};

std::vector<Contents> contents_of(const fs::path& path) {
  const StoreReader store(path);
  std::vector<Contents> all;
  for (const CampaignRecord& campaign : store.campaigns()) all.emplace_back(store, campaign);
  return all;
}

class Merge : public testing::Test {
 protected:
  fs::path shard(int number) const {
    return at_.folder().path() / ("shard" + std::to_string(number) + ".db");
  }
  // Two campaigns; finding "attend" in both, one of its own in the first.
  void make_shard(int number) const {
    Store store(shard(number));
    const std::string name = std::to_string(number);
    for (int i = 0; i < 2; ++i) {
      CampaignRecord campaign = sample_campaign();
      campaign.host = "node" + name;
      const std::int64_t id = store.begin_campaign(campaign);
      store.add_progress({id, "2026-11-22T20:15:03Z", sample_totals(1)});
      store.add_case(sample_case(id));
      store.add_interesting(sample_interesting(id));
      store.add_event({id, "", "event of " + name});
      store.save_taps(std::vector<TapRecord>{{id, "lse", 0.5, {{-1, 4}}}});
      store.save_pairs(std::vector<PairRecord>{{id, "kvp " + name, "tpa 1", 2}});
      FindingRecord finding = sample_finding();
      finding.last_campaign = id;
      finding.last_seen = "2026-11-22T20:0" + name + ":00Z";
      finding.count = 10;
      store.save_finding(finding);
    }
    store.save_finding(sample_finding("stage" + name));
  }
  // The first campaign of the shard goes on.
  void continue_shard(int number) const {
    Store store(shard(number));
    CampaignRecord campaign = *store.campaign(1);
    campaign.totals = sample_totals(50);
    campaign.state = "finished";
    store.update_campaign(campaign);
    store.add_event({1, "", "one more"});
    store.count_finding(sample_finding().signature, 1, 5, "2026-11-22T23:00:00Z", "later");
    store.save_finding(sample_finding("late"));
  }

  StoreFolder at_;
};

TEST_F(Merge, CopiesEverything) {
  make_shard(1);
  make_shard(2);
  const MergeResult merged = merge_stores({shard(1), shard(2)}, at_.path());
  EXPECT_EQ(merged.added, 4);
  EXPECT_EQ(merged.updated + merged.unchanged, 0);
  EXPECT_EQ(merged.new_findings, 3);
  EXPECT_TRUE(merged.problems.empty());
  std::vector<Contents> expected = contents_of(shard(1));
  for (const Contents& more : contents_of(shard(2))) expected.push_back(more);
  EXPECT_EQ(contents_of(at_.path()), expected);
  const StoreReader store(at_.path());
  ASSERT_EQ(store.findings().size(), 3u);
  const FindingRecord finding = *store.finding(sample_finding().signature);
  EXPECT_EQ(finding.count, 40u);
  EXPECT_EQ(finding.first_seen, "2026-11-22T20:01:00Z");
  EXPECT_EQ(finding.last_seen, "2026-11-22T20:02:00Z");
  EXPECT_EQ(finding.first_campaign, 1);
  EXPECT_EQ(finding.last_campaign, 4);
}

TEST_F(Merge, ChangesNothingTheSecondTime) {
  make_shard(1);
  make_shard(2);
  merge_stores({shard(1), shard(2)}, at_.path());
  const std::vector<Contents> before = contents_of(at_.path());
  const std::vector<FindingRecord> findings = StoreReader(at_.path()).findings();
  const MergeResult again = merge_stores({shard(2), shard(1), shard(1)}, at_.path());
  EXPECT_EQ(again.unchanged, 6);
  EXPECT_EQ(again.added + again.updated + again.new_findings, 0);
  EXPECT_EQ(contents_of(at_.path()), before);
  EXPECT_EQ(StoreReader(at_.path()).findings(), findings);
}

TEST_F(Merge, ReplacesACampaignThatHasGoneOn) {
  make_shard(1);
  make_shard(2);
  merge_stores({shard(1), shard(2)}, at_.path());
  fs::copy_file(shard(1), shard(9));
  continue_shard(1);
  const MergeResult merged = merge_stores({shard(1)}, at_.path());
  EXPECT_EQ(merged.updated, 1);
  EXPECT_EQ(merged.unchanged, 1);
  EXPECT_EQ(merged.new_findings, 1);
  const std::vector<Contents> newer = contents_of(shard(1));
  EXPECT_EQ(contents_of(at_.path())[0], newer[0]);
  EXPECT_EQ(StoreReader(at_.path()).campaigns().size(), 4u);
  EXPECT_EQ(StoreReader(at_.path()).finding(sample_finding().signature)->count, 45u);
  EXPECT_EQ(merge_stores({shard(9)}, at_.path()).unchanged, 2) << "an older copy";
  EXPECT_EQ(contents_of(at_.path())[0], newer[0]);
}

TEST_F(Merge, KeepsTheBetterDescription) {
  make_shard(1);
  make_shard(2);
  FindingRecord confirmed = sample_finding();
  confirmed.state = "confirmed";
  confirmed.blame = "shrunk";
  { Store(shard(2)).save_finding(confirmed); }
  merge_stores({shard(1), shard(2)}, at_.path());
  EXPECT_EQ(StoreReader(at_.path()).finding(confirmed.signature)->blame, "shrunk");
  merge_stores({shard(2), shard(1)}, shard(3));
  EXPECT_EQ(StoreReader(shard(3)).finding(confirmed.signature)->blame, "shrunk");
}

TEST_F(Merge, LeavesOutWhatCannotBeRead) {
  make_shard(1);
  make_shard(2);
  make_shard(3);
  fs::resize_file(shard(1), fs::file_size(shard(1)) / 2);
  at_.folder().write("shard4.db", "text");
  const MergeResult merged =
      merge_stores({shard(1), shard(2), shard(4), shard(5), shard(3)}, at_.path());
  EXPECT_EQ(merged.added, 4);
  ASSERT_EQ(merged.problems.size(), 3u);
  EXPECT_TRUE(holds(merged.problems[0], "shard1.db: the store is damaged")) << merged.problems[0];
  EXPECT_TRUE(holds(merged.problems[1], "shard4.db: this is no campaign store"));
  EXPECT_TRUE(holds(merged.problems[2], "shard5.db: there is no such store"));
}

TEST_F(Merge, RefusesWhatMakesNoSense) {
  make_shard(1);
  EXPECT_TRUE(holds(sentence_of<InputError>([&] { merge_stores({shard(1)}, shard(1)); }),
                    "shard1.db: a store cannot be merged into itself"));
  EXPECT_TRUE(holds(sentence_of<InputError>([&] { merge_stores({shard(7)}, at_.path()); }),
                    "shard7.db: there is no such store"));
  EXPECT_FALSE(fs::exists(at_.path()));
  const Store held(at_.path());
  EXPECT_THROW(merge_stores({shard(1)}, at_.path()), ResourceError);
}

TEST_F(Merge, ReadsAStoreThatIsBeingWritten) {
  make_shard(1);
  Store live(shard(1));
  live.add_event({1, "", "new"});
  merge_stores({shard(1)}, at_.path());
  EXPECT_EQ(StoreReader(at_.path()).events(1).size(), 2u);
}

}  // namespace
}  // namespace helixcheck
