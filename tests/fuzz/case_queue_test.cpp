// Every case is handed out until it is run, and none twice at a time.

#include "fuzz/case_queue.hpp"

#include <gtest/gtest.h>
#include <random>

namespace helixcheck {
namespace {

TEST(CaseQueue, HandsOutRangesInOrder) {
  CaseQueue queue(5, 0);
  const CaseRange first = queue.take(10), second = queue.take(3);
  EXPECT_EQ(first.first, 5u);
  EXPECT_EQ(first.count, 10u);
  EXPECT_EQ(second.first, 15u);
  EXPECT_EQ(second.count, 3u);
  EXPECT_EQ(queue.low_water(), 5u) << "taken is not run";
  EXPECT_FALSE(queue.done());
}

TEST(CaseQueue, EndsWhereItIsToldTo) {
  CaseQueue queue(5, 8);
  const CaseRange all = queue.take(100);
  EXPECT_EQ(all.count, 3u);
  EXPECT_EQ(queue.take(100).count, 0u);
  EXPECT_FALSE(queue.done()) << "somebody has them";
  queue.give_back({}, all);
  EXPECT_TRUE(queue.done());
  EXPECT_EQ(queue.low_water(), 8u);
}

TEST(CaseQueue, IsDoneWhereTheEndLiesBehind) {
  CaseQueue queue(9, 8);
  EXPECT_EQ(queue.take(1).count, 0u);
  EXPECT_TRUE(queue.done());
  EXPECT_EQ(queue.low_water(), 9u);
}

TEST(CaseQueue, HandsOutFirstWhatCameBack) {
  CaseQueue queue(0, 0);
  const CaseRange lease = queue.take(100);
  queue.give_back({40, 60}, lease);
  EXPECT_EQ(queue.low_water(), 40u);
  const CaseRange part = queue.take(10);
  EXPECT_EQ(part.first, 40u);
  EXPECT_EQ(part.count, 10u);
  EXPECT_EQ(queue.take(100).first, 50u) << "the rest of it";
  EXPECT_EQ(queue.take(1).first, 100u);
  queue.give_back({}, part);
  EXPECT_EQ(queue.low_water(), 50u);
}

// Workers that take, run a part, crash at a case or return nothing at all.
TEST(CaseQueue, EveryCaseIsRunOnce) {
  constexpr std::uint64_t kFirst = 7, kEnd = 2000;
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    CaseQueue queue(kFirst, kEnd);
    std::vector<int> runs(kEnd, 0);
    std::vector<CaseRange> out;
    while (!queue.done()) {
      if (out.size() < 4) {
        if (const CaseRange range = queue.take(1 + random() % 90); range.count > 0) {
          out.push_back(range);
        }
      }
      if (out.empty() || random() % 3 == 0) continue;
      const std::size_t chosen = random() % out.size();
      const CaseRange taken = out[chosen];
      out.erase(out.begin() + static_cast<std::ptrdiff_t>(chosen));
      const std::uint64_t done = random() % (taken.count + 1);
      for (std::uint64_t i = 0; i < done; ++i) ++runs[taken.first + i];
      queue.give_back({taken.first + done, taken.count - done}, taken);
      for (std::uint64_t i = kFirst; i < queue.low_water(); ++i) {
        ASSERT_EQ(runs[i], 1) << "below the low water";
      }
    }
    for (std::uint64_t i = 0; i < kEnd; ++i) ASSERT_EQ(runs[i], i >= kFirst ? 1 : 0) << i;
    EXPECT_TRUE(out.empty());
    EXPECT_EQ(queue.low_water(), kEnd);
  }
}

}  // namespace
}  // namespace helixcheck
