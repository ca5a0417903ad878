// Counts by tap and by pair of levels.

#include <cmath>
#include <gtest/gtest.h>

#include "sample_records.hpp"
#include "store/store.hpp"

namespace helixcheck {
namespace {

TEST(Taps, AreReplacedByNewerCounts) {
  const StoreFolder at;
  Store store(at.path());
  const std::int64_t one = store.begin_campaign({}), two = store.begin_campaign({});
  std::vector<TapRecord> taps{{one, "lse", 0.5, {{-60, 4}, {-1, 1}}}, {one, "output", 0, {}}};
  const TapRecord other{two, "lse", 1, {{0, 9}}};
  store.save_taps(taps);
  store.save_taps(std::vector{other});
  EXPECT_EQ(store.taps(one), taps);
  taps[0].cases[-1] = 3;
  taps[0].cases[2] = 1;
  taps[0].worst_ratio = 4.5;
  store.save_taps(taps);
  EXPECT_EQ(store.taps(one), taps);
  EXPECT_EQ(store.taps(two), std::vector{other});
}

TEST(Taps, MayHaveAWorstRatioThatIsNotANumber) {
  const StoreFolder at;
  Store store(at.path());
  store.save_taps(std::vector<TapRecord>{{store.begin_campaign({}), "lse", std::nan(""), {}}});
  EXPECT_TRUE(std::isnan(store.taps(1).at(0).worst_ratio));
}

TEST(Pairs, AreReplacedByNewerCounts) {
  const StoreFolder at;
  const std::vector<PairRecord> first{
      {1, "kvp 3", "kvp 3", 4}, {1, "kvp 3", "tpa 2", 2}, {1, "tpa 2", "tpa 2", 2}};
  std::vector<PairRecord> later = first;
  later[1].count = 5;
  later.push_back({1, "tpa 2", "dtype fp16", 1});
  const PairRecord other{2, "dtype fp16", "kvp 3", 1};
  {
    Store store(at.path());
    store.begin_campaign({});
    store.begin_campaign({});
    store.save_pairs(first);
    EXPECT_EQ(store.pairs(1), first);
  }
  Store store(at.path());  // levels keep their numbers
  store.save_pairs(later);
  store.save_pairs(std::vector{other});
  EXPECT_EQ(store.pairs(1), later);
  EXPECT_EQ(store.pairs(2), std::vector{other});
}

TEST(Pairs, OfAChangeThatFailedLeaveNoLevels) {
  const StoreFolder at;
  Store store(at.path());
  const PairRecord pair{store.begin_campaign({}), "kvp 3", "tpa 2", 4};
  EXPECT_THROW(store.write([&] {
    store.save_pairs(std::vector{pair});
    throw StoreError("full");
  }),
               StoreError);
  EXPECT_TRUE(store.pairs(1).empty());
  store.save_pairs(std::vector{pair});
  EXPECT_EQ(store.pairs(1), std::vector{pair});
}

}  // namespace
}  // namespace helixcheck
