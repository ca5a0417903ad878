#include "mla/parallel.hpp"

#include <gtest/gtest.h>
#include <stdexcept>
#include <thread>
#include <vector>

namespace helixcheck {
namespace {

constexpr double kLarge = 1e12;

TEST(ParallelFor, CoversEveryIndexOnce) {
  for (const int threads : {1, 2, 3}) {
    const ThreadLimit limit(threads);
    for (const std::int64_t count : {0, 1, 2, 7}) {
      std::vector<int> visits(static_cast<std::size_t>(count));
      parallel_for(count, kLarge, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
      });
      EXPECT_EQ(visits, std::vector<int>(visits.size(), 1)) << threads << " threads";
    }
  }
}

std::vector<std::thread::id> threads_used(double flops) {
  std::vector<std::thread::id> ids(2);
  parallel_for(2, flops, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      ids[static_cast<std::size_t>(i)] = std::this_thread::get_id();
    }
  });
  return ids;
}

TEST(ParallelFor, StartsThreadsForLargeWorkOnly) {
  const ThreadLimit limit(2);
  EXPECT_NE(threads_used(kLarge)[0], threads_used(kLarge)[1]);
  EXPECT_EQ(threads_used(1e5)[0], std::this_thread::get_id());
  EXPECT_EQ(threads_used(1e5)[1], std::this_thread::get_id());
}

TEST(ParallelFor, NestedCallsStayOnTheirThread) {
  const ThreadLimit limit(2);
  parallel_for(2, kLarge, [](std::int64_t, std::int64_t) {
    const auto ids = threads_used(kLarge);
    EXPECT_EQ(ids[0], ids[1]);
  });
  EXPECT_EQ(thread_limit(), 2);
}

TEST(ParallelFor, RethrowsFromAnyThread) {
  const ThreadLimit limit(2);
  for (const std::int64_t bad : {0, 1}) {
    const auto body = [&](std::int64_t begin, std::int64_t end) {
      if (begin <= bad && bad < end) throw std::runtime_error("bad index");
    };
    EXPECT_THROW(parallel_for(2, kLarge, body), std::runtime_error);
  }
}

TEST(ThreadLimitTest, IsRestored) {
  const int before = thread_limit();
  {
    const ThreadLimit outer(5);
    const ThreadLimit inner(1);
    EXPECT_EQ(thread_limit(), 1);
  }
  EXPECT_EQ(thread_limit(), before);
  EXPECT_LE(before, 2);
}

}  // namespace
}  // namespace helixcheck
