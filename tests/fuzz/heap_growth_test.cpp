// Memory that stays is told from memory that comes and goes.

#include "fuzz/heap_growth.hpp"

#include <gtest/gtest.h>
#include <memory>
#include <thread>
#include <vector>

namespace helixcheck {
namespace {

using Block = std::unique_ptr<char[]>;

class Heap : public testing::Test {
 protected:
  void SetUp() override {
    const std::uint64_t before = heap_in_use();
    keep(1 << 20);
    if (heap_in_use() < before + (1 << 20)) GTEST_SKIP() << "the heap is not the C library's";
  }
  void keep(std::size_t bytes) { kept_.emplace_back(new char[bytes]); }
  std::vector<Block> kept_;
};

TEST_F(Heap, ARunThatKeepsSomethingLeaks) {
  for (const std::size_t bytes : {std::size_t{1000}, std::size_t{64} << 10, std::size_t{1} << 22}) {
    kept_.reserve(1000);
    const auto growth = heap_growth_of_a_run([&] { keep(bytes); });
    ASSERT_TRUE(growth.has_value()) << bytes;
    EXPECT_GE(*growth, bytes);
    EXPECT_LT(*growth, bytes + 8192);
  }
}

// Freed blocks that the C library hands out again without asking its heap.
TEST_F(Heap, ALeakOfBlocksThatWereFreedBeforeIsOne) {
  kept_.reserve(1000);
  for (int i = 0; i < 20; ++i) keep(1000);
  kept_.clear();
  EXPECT_TRUE(heap_growth_of_a_run([&] { keep(1000); }));
}

TEST_F(Heap, ALeakInAnotherThreadIsOne) {
  kept_.reserve(1000);
  EXPECT_TRUE(heap_growth_of_a_run([&] { std::thread([&] { keep(4000); }).join(); }));
}

TEST_F(Heap, ARunThatGivesBackDoesNot) {
  EXPECT_EQ(heap_growth_of_a_run([] { std::vector<int>(100'000).at(7) = 1; }), std::nullopt);
  EXPECT_EQ(heap_growth_of_a_run([] {}), std::nullopt);
}

// What grows now and then is a cache or a list, and what shrinks has kept more before.
TEST_F(Heap, NotEveryGrowthIsALeak) {
  int runs = 0;
  EXPECT_EQ(heap_growth_of_a_run([&] { runs++ % 4 == 0 ? keep(10'000) : void(); }), std::nullopt);
  EXPECT_EQ(heap_growth_of_a_run([&] { runs++ % 2 == 0 ? keep(10'000) : kept_.clear(); }),
            std::nullopt);
  EXPECT_EQ(heap_growth_of_a_run([&] { keep(16); }), std::nullopt) << "too little to tell";
  runs = 0;
  EXPECT_EQ(heap_growth_of_a_run([&] { runs++ < 8 ? keep(10'000) : void(); }), std::nullopt)
      << "before it is warm";
}

TEST_F(Heap, IsLargeFarAboveWhatIsNormal) {
  HeapGrowth growth;
  EXPECT_FALSE(growth.is_large());
  keep(std::size_t{200} << 20);
  EXPECT_FALSE(growth.is_large()) << "as it gets warm, whatever it takes is normal";
  kept_.clear();
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(growth.is_large());
  keep(std::size_t{240} << 20);
  EXPECT_FALSE(growth.is_large()) << "40 MiB more";
  keep(std::size_t{40} << 20);
  EXPECT_TRUE(growth.is_large());
  kept_.clear();
  EXPECT_FALSE(growth.is_large());
}

TEST_F(Heap, GrowthIsAcceptedAFewTimes) {
  HeapGrowth growth;
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(growth.is_large());
  int accepted = 0;
  for (int i = 0; i < 20; ++i) {
    keep(std::size_t{80} << 20);
    ASSERT_TRUE(growth.is_large());
    if (!growth.accept()) continue;
    ++accepted;
    EXPECT_FALSE(growth.is_large()) << "that is normal now";
  }
  EXPECT_GT(accepted, 2);
  EXPECT_LT(accepted, 12);
  EXPECT_GE(growth.bytes(), std::uint64_t{20 * 80} << 20);
}

}  // namespace
}  // namespace helixcheck
