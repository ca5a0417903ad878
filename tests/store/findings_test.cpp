// One finding a signature, over cases, stages of its analysis and nights.

#include <gtest/gtest.h>

#include "sample_records.hpp"
#include "scenario/error.hpp"
#include "store/store.hpp"

namespace helixcheck {
namespace {

class Findings : public testing::Test {
 protected:
  Findings() {
    for (int night = 1; night <= 3; ++night) store_.begin_campaign({});
  }
  // The finding as it comes out of one night.
  FindingRecord seen(std::int64_t night, const std::string& state, const std::string& blame) {
    FindingRecord f = sample_finding();
    f.last_campaign = f.first_campaign = night;
    f.last_seen = f.first_seen = "2026-11-2" + std::to_string(night) + "T20:00:00Z";
    f.last_commit = f.first_commit = "commit" + std::to_string(night);
    f.case_index = static_cast<std::uint64_t>(40 + night);
    f.state = state;
    f.blame = blame;
    f.locally_minimal = state == "confirmed";
    f.file = state == "confirmed" ? "corpus/x.json" : "";
    return f;
  }
  FindingRecord stored() { return *store_.finding(sample_finding().signature); }

  StoreFolder at_;
  Store store_{at_.path()};
};

TEST_F(Findings, AreKept) {
  FindingRecord attend = sample_finding("attend"), combine = sample_finding("combine");
  combine.last_campaign = combine.first_campaign = 2;
  attend.id = store_.save_finding(attend);
  combine.id = store_.save_finding(combine);
  EXPECT_EQ(store_.findings(), (std::vector{attend, combine}));
  EXPECT_EQ(store_.findings(2), std::vector{combine});
  EXPECT_EQ(store_.finding(attend.signature), attend);
  EXPECT_FALSE(store_.finding("equivalence/cpu/value/plan"));
  EXPECT_EQ(StoreReader(at_.path()).findings(), (std::vector{attend, combine}));
}

TEST_F(Findings, AreOneOverAllNights) {
  store_.save_finding(seen(2, "confirmed", "of night 2"));
  store_.count_finding(stored().signature, 2, 10, "2026-11-22T23:00:00Z", "commit2");
  store_.save_finding(seen(3, "new", "of night 3"));
  store_.save_finding(seen(1, "new", "of night 1, stored late"));
  ASSERT_EQ(store_.findings().size(), 1u);
  const FindingRecord finding = stored();
  EXPECT_EQ(finding.count, 1u + 10 + 1 + 1);
  EXPECT_EQ(finding.first_seen, "2026-11-21T20:00:00Z");
  EXPECT_EQ(finding.first_commit, "commit1");
  EXPECT_EQ(finding.first_campaign, 1);
  EXPECT_EQ(finding.case_index, 41u);
  EXPECT_EQ(finding.last_seen, "2026-11-23T20:00:00Z");
  EXPECT_EQ(finding.last_commit, "commit3");
  EXPECT_EQ(finding.last_campaign, 3);
  EXPECT_EQ(finding.blame, "of night 2");
  EXPECT_EQ(finding.state, "confirmed");
  EXPECT_EQ(store_.sightings().size(), 3u);
  const SightingRecord second{
      finding.signature,      2,         11,       42, "2026-11-22T20:00:00Z",
      "2026-11-22T23:00:00Z", "commit2", "commit2"};
  EXPECT_EQ(store_.sightings(2), std::vector{second});
}

TEST_F(Findings, StoredAgainAreNotCountedAgain) {
  store_.save_finding(seen(1, "new", "as seen"));
  store_.count_finding(stored().signature, 1, 5, "2026-11-21T21:00:00Z", "commit1");
  FindingRecord shrunk = seen(1, "confirmed", "shrunk");
  shrunk.count = 1;
  store_.save_finding(shrunk);
  EXPECT_EQ(stored().count, 6u);
  EXPECT_EQ(stored().blame, "shrunk");
  store_.save_finding(stored());
  EXPECT_EQ(stored().count, 6u);
}

TEST_F(Findings, GetBetterAndNeverWorse) {
  const auto save = [&](std::int64_t night, const char* state, const char* blame) {
    store_.save_finding(seen(night, state, blame));
    return stored().blame;
  };
  EXPECT_EQ(save(1, "new", "a"), "a");
  EXPECT_EQ(save(2, "new", "b"), "a") << "as good, of another night";
  EXPECT_EQ(save(1, "new", "c"), "c") << "as good, of the same night";
  EXPECT_EQ(save(2, "unconfirmed", "d"), "d");
  EXPECT_EQ(save(2, "new", "e"), "d") << "worse, of the same night";
  EXPECT_EQ(save(3, "confirmed", "f"), "f");
  EXPECT_EQ(save(3, "unconfirmed", "g"), "f");
  FindingRecord unfinished = seen(3, "confirmed", "h");
  unfinished.locally_minimal = false;
  store_.save_finding(unfinished);
  EXPECT_EQ(stored().blame, "f");
  EXPECT_EQ(stored().state, "confirmed");
}

TEST_F(Findings, GetAPlaceInTheCorpus) {
  FindingRecord finding = seen(1, "confirmed", "a");
  finding.file = "";
  store_.save_finding(finding);
  store_.save_finding(seen(2, "confirmed", "b"));
  EXPECT_EQ(stored().file, "corpus/x.json");
}

TEST_F(Findings, AreCountedOnlyIfTheyAreStored) {
  EXPECT_TRUE(holds(sentence_of<InputError>([&] { store_.count_finding("a/b/c/d", 1, 1, "", ""); }),
                    "campaign.db: there is no finding a/b/c/d"));
  EXPECT_THROW(store_.save_sighting({"a/b/c/d", 1, 1, 1, "", "", "", ""}), InputError);
  EXPECT_TRUE(store_.sightings().empty());
}

TEST_F(Findings, AreCountedInANightThatDidNotStoreThem) {
  store_.save_finding(seen(1, "new", "a"));
  store_.count_finding(stored().signature, 2, 3, "2026-11-22T20:00:00Z", "commit2");
  EXPECT_EQ(stored().count, 4u);
  EXPECT_EQ(stored().last_campaign, 2);
}

TEST_F(Findings, KeepTheirLastTimeWhenCountsComeLate) {
  store_.save_finding(seen(3, "new", "a"));
  store_.count_finding(stored().signature, 3, 1, "2026-11-23T21:00:00Z", "later");
  store_.count_finding(stored().signature, 3, 1, "2026-11-23T20:30:00Z", "earlier");
  EXPECT_EQ(stored().last_seen, "2026-11-23T21:00:00Z");
  EXPECT_EQ(stored().last_commit, "later");
}

}  // namespace
}  // namespace helixcheck
