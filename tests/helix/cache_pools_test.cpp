// Cache pools on a memory that works later, as a device does.

#include "helix/cache_pools.hpp"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <memory>
#include <vector>

#include "helix/paged_cache.hpp"
#include "support/deferred_memory.hpp"

namespace helixcheck {
namespace {

constexpr std::int64_t kPages = 4;

// Two ranks' caches. Pages of 4 tokens move in one piece, pages of 8192 do not.
struct Caches {
  explicit Caches(std::int64_t page) {
    scenario.problem.entry = Entry::core;
    scenario.problem.kv_lora_rank = 6;
    scenario.problem.qk_rope_head_dim = 2;
    scenario.layout.kv_cache_tokens_per_block = page;
    const std::size_t bytes = PagedCache::pool_bytes(scenario, kPages);
    pools = std::make_unique<CachePools>(memory, std::vector<std::size_t>{bytes, bytes});
    for (std::size_t rank = 0; rank < 2; ++rank) {
      caches.push_back(std::make_unique<PagedCache>(scenario, kPages, pools->place(rank)));
      pools->add(*caches.back());
    }
  }
  // Byte `offset` of a rank's pool, where the subject sees it.
  std::byte& subject_byte(std::size_t rank, std::size_t offset) const {
    return pools->place(rank).device[offset];
  }

  DeferredMemory memory;
  Scenario scenario;
  std::unique_ptr<CachePools> pools;
  std::vector<std::unique_ptr<PagedCache>> caches;
};

TEST(CachePools, BringUpWhatTheHarnessWrote) {
  for (const std::int64_t page : {4, 8192}) {
    Caches c(page);
    EXPECT_EQ(c.pools->in_one_piece(), page == 4);
    EXPECT_TRUE(c.pools->ahead());  // the poison
    for (auto& cache : c.caches) cache->grow(0, 3);
    std::memset(c.caches[1]->row(0, 2), 0x17, static_cast<std::size_t>(c.caches[1]->row_bytes()));
    c.caches[1]->accept(0, 2, 3);
    c.pools->upload();
    EXPECT_FALSE(c.pools->ahead());
    c.memory.synchronize();
    const auto offset = static_cast<std::size_t>(c.caches[1]->row(0, 2) - c.pools->place(1).mirror);
    EXPECT_EQ(c.subject_byte(1, offset), std::byte{0x17});
    EXPECT_NE(c.subject_byte(0, 0), std::byte{0x17});
  }
}

TEST(CachePools, ShowAStrayWriteOnEitherRank) {
  for (const std::int64_t page : {4, 8192}) {
    for (const std::size_t rank : {0u, 1u}) {
      Caches c(page);
      c.pools->upload();
      c.memory.synchronize();
      c.subject_byte(rank, 5) ^= std::byte{1};
      c.pools->download();
      c.memory.synchronize();
      EXPECT_EQ(c.caches[rank]->take_changes().count, 1);
      EXPECT_EQ(c.caches[1 - rank]->take_changes().count, 0);
    }
  }
}

// What a read back before the first upload does: the pipeline asks `ahead` before it reads.
TEST(CachePools, ReadTooEarlyAreNoPoison) {
  Caches c(8192);
  std::fill_n(&c.subject_byte(0, 0), 64, std::byte{0x42});
  c.pools->download();
  c.memory.synchronize();
  EXPECT_GT(c.caches[0]->take_changes().count, 0);
}

TEST(CachePools, AreNothingOnTheHost) {
  const CachePools pools(host_memory(), {100});
  EXPECT_EQ(pools.place(0).memory, nullptr);
  EXPECT_TRUE(pools.in_one_piece());
}

}  // namespace
}  // namespace helixcheck
