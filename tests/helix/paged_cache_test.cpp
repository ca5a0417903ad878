// Pages, sharing, copy on write, poison.

#include "helix/paged_cache.hpp"

#include <cstring>
#include <gtest/gtest.h>
#include <set>
#include <vector>

#include "scenario/error.hpp"
#include "subject/views.hpp"

namespace helixcheck {
namespace {

Scenario small_scenario() {
  Scenario s;
  s.problem.entry = Entry::core;
  s.problem.kv_lora_rank = 6;
  s.problem.qk_rope_head_dim = 2;
  s.layout.kv_cache_tokens_per_block = 4;
  s.layout.row_gap = 3;
  s.layout.page_gap = 5;
  s.layout.spare_pages = 2;
  s.layout.page_id_base = 50;
  return s;
}

void write_row(PagedCache& cache, std::int64_t request, std::int64_t local, int value) {
  std::memset(cache.row(request, local), value, static_cast<std::size_t>(cache.row_bytes()));
}

std::vector<int> first_bytes(const PagedCache& cache, std::int64_t request) {
  std::vector<std::byte> rows(static_cast<std::size_t>(cache.length(request) * cache.row_bytes()));
  EXPECT_EQ(cache.read(request, rows.data()), rows.data() + rows.size());
  std::vector<int> firsts;
  for (std::int64_t i = 0; i < cache.length(request); ++i) {
    firsts.push_back(static_cast<int>(rows[static_cast<std::size_t>(i * cache.row_bytes())]));
  }
  return firsts;
}

void fill(PagedCache& cache, std::int64_t request, std::int64_t length, int first_value) {
  const std::int64_t before = cache.length(request);
  cache.grow(request, length);
  for (std::int64_t i = before; i < length; ++i) {
    write_row(cache, request, i, first_value + static_cast<int>(i));
  }
  cache.accept(request, before, length);
}

TEST(PagedCache, RowsAreFoundThroughTheViewAndTheTable) {
  PagedCache cache(small_scenario(), 4);
  fill(cache, 7, 10, 1);
  EXPECT_EQ(cache.table(7).size(), 3u);
  const hxc_tensor view = cache.view();
  for (std::int64_t i = 0; i < 10; ++i) {
    const std::int64_t id = cache.table(7)[static_cast<std::size_t>(i / 4)];
    EXPECT_GE(id, 50);
    EXPECT_LT(id, view.shape[0]);
    EXPECT_EQ(at(view, id, i % 4), cache.row(7, i));
  }
  EXPECT_EQ(cache.take_changes().count, 0);
}

TEST(PagedCache, SeesEveryStrayByteOnce) {
  PagedCache cache(small_scenario(), 4);
  fill(cache, 0, 6, 1);
  const std::int64_t gap = cache.row_bytes();
  for (std::byte* stray : {cache.row(0, 2),                       // an old row
                           cache.row(0, 1) + gap,                 // a row's gap
                           cache.row(0, 5) + gap + 3 * 2,         // a row nobody owns yet
                           cache.row(0, 3) + gap + 3 * 2 + 4}) {  // a page's gap
    *stray = std::byte{0x12};
    EXPECT_EQ(cache.take_changes().count, 1);
    EXPECT_EQ(cache.take_changes().count, 0);
  }
}

// Whatever the stray value is: comparisons differ in what they return.
TEST(PagedCache, SeesEveryStrayValueFromTheFirstByteToTheLast) {
  const Scenario s = small_scenario();
  PagedCache cache(s, 4);
  fill(cache, 0, 6, 1);
  std::byte* first = at(cache.view(), s.layout.page_id_base);
  const auto last = static_cast<std::int64_t>(PagedCache::pool_bytes(s, 4)) - 1;
  for (const std::int64_t offset : {std::int64_t{0}, cache.row(0, 2) - first, last}) {
    const auto right = static_cast<int>(first[offset]);
    for (int step = 1; step < 256; ++step) {
      first[offset] = static_cast<std::byte>(right + step);
      const PagedCache::Changes changes = cache.take_changes();
      EXPECT_EQ(changes.count, 1) << offset << ", off by " << step;
      EXPECT_EQ(changes.first, offset);
      first[offset] = static_cast<std::byte>(right);
      EXPECT_EQ(cache.take_changes().count, 1) << "what it was is a change again";
    }
  }
}

TEST(PagedCache, RowsThatWereNotAcceptedAreStray) {
  PagedCache cache(small_scenario(), 4);
  cache.grow(0, 2);
  write_row(cache, 0, 0, 5);
  write_row(cache, 0, 1, 6);
  cache.accept(0, 1, 2);
  const PagedCache::Changes changes = cache.take_changes();
  EXPECT_EQ(changes.count, cache.row_bytes());
  EXPECT_EQ(changes.first % 2, 0);
}

// A fork shares its parent's page; both drop rows of it, in either order.
TEST(PagedCache, ForkAndRejectLeaveNothingStray) {
  for (const std::int64_t first : {0, 1}) {
    PagedCache cache(small_scenario(), 6);
    fill(cache, 0, 7, 1);
    cache.fork(0, 1);
    cache.shrink(first, 6);
    cache.shrink(1 - first, 6);
    EXPECT_EQ(cache.take_changes().count, 0);
    cache.release(first);
    fill(cache, 1 - first, 7, 50);
    EXPECT_EQ(cache.take_changes().count, 0);
    EXPECT_EQ(first_bytes(cache, 1 - first).back(), 56);
  }
}

TEST(PagedCache, ForkSharesPagesAndCopiesOnWrite) {
  PagedCache cache(small_scenario(), 6);
  fill(cache, 0, 6, 1);
  cache.fork(0, 1);
  EXPECT_TRUE(std::equal(cache.table(0).begin(), cache.table(0).end(), cache.table(1).begin()));
  fill(cache, 1, 7, 100);
  EXPECT_EQ(cache.table(0)[0], cache.table(1)[0]);
  EXPECT_NE(cache.table(0)[1], cache.table(1)[1]);
  EXPECT_EQ(first_bytes(cache, 0), (std::vector<int>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(first_bytes(cache, 1), (std::vector<int>{1, 2, 3, 4, 5, 6, 106}));
  fill(cache, 0, 7, 200);  // the parent is alone on its tail page again
  EXPECT_EQ(first_bytes(cache, 1).back(), 106);
  EXPECT_EQ(first_bytes(cache, 0).back(), 206);
  EXPECT_EQ(cache.take_changes().count, 0);
}

TEST(PagedCache, DroppedRowsAndReleasedPagesArePoisonedAndReused) {
  PagedCache cache(small_scenario(), 3);
  cache.grow(0, 1);
  const std::byte poison = cache.row(0, 0)[0];
  fill(cache, 0, 10, 1);
  const std::byte* kept = cache.row(0, 4);
  const std::byte* dropped[] = {cache.row(0, 5), cache.row(0, 7), cache.row(0, 8), cache.row(0, 9)};
  cache.shrink(0, 5);
  EXPECT_EQ(cache.table(0).size(), 2u);
  EXPECT_EQ(*kept, std::byte{5});
  for (const std::byte* row : dropped) EXPECT_EQ(*row, poison);
  EXPECT_EQ(cache.take_changes().count, 0);
  fill(cache, 0, 12, 20);
  EXPECT_EQ(first_bytes(cache, 0)[5], 25);
  const std::set<std::int64_t> used(cache.table(0).begin(), cache.table(0).end());
  cache.release(0);
  EXPECT_EQ(cache.take_changes().count, 0);
  fill(cache, 1, 4, 50);
  EXPECT_TRUE(used.count(cache.table(1)[0])) << "a page just freed is taken first";
}

TEST(PagedCache, ShrinkingAForkLeavesTheParentAlone) {
  PagedCache cache(small_scenario(), 6);
  fill(cache, 0, 7, 1);
  cache.fork(0, 1);
  cache.shrink(1, 5);
  fill(cache, 1, 6, 60);
  EXPECT_EQ(first_bytes(cache, 0), (std::vector<int>{1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(first_bytes(cache, 1), (std::vector<int>{1, 2, 3, 4, 5, 65}));
  EXPECT_EQ(cache.take_changes().count, 0);
}

// Where a page seems to lie to who keeps 32 bits of its offset in elements.
template <typename Offset>
std::byte* wrapped_page(const PagedCache& cache, std::int64_t id) {
  hxc_tensor view = cache.view();
  const auto offset = static_cast<std::int64_t>(static_cast<Offset>(id * view.stride[0]));
  return static_cast<std::byte*>(view.data) + offset * element_bytes(view);
}

TEST(PagedCache, WrappedOffsetsMeetPoisonAndAreWatched) {
  Scenario s = small_scenario();
  const std::int64_t stride = 4 * (8 + 3) + 5;
  for (const std::int64_t elements : {std::int64_t{1} << 31, std::int64_t{1} << 32,
                                      (std::int64_t{3} << 31) + 1000, std::int64_t{1} << 36}) {
    s.layout.page_id_base = elements / stride + 1;
    PagedCache cache(s, 4);
    fill(cache, 7, 10, 1);
    EXPECT_EQ(cache.take_changes().count, 0);
    for (const std::int64_t id : cache.table(7)) {
      std::byte* row = at(cache.view(), id);
      for (std::byte* image :
           {wrapped_page<std::int32_t>(cache, id), wrapped_page<std::uint32_t>(cache, id)}) {
        if (image == row) continue;  // 2^31 without a sign is right
        EXPECT_NE(std::memcmp(image, row, 2), 0);
        const auto poison = static_cast<int>(image[0]);
        for (int step = 1; step < 256; ++step) {
          image[0] = static_cast<std::byte>(poison + step);
          EXPECT_EQ(cache.take_changes().count, 1) << "off by " << step;
        }
        std::memset(image + 3, 0x11, 5);
        const PagedCache::Changes changes = cache.take_changes();
        EXPECT_EQ(changes.count, 5);
        EXPECT_EQ(changes.first, image + 3 - at(cache.view(), s.layout.page_id_base));
        EXPECT_EQ(cache.take_changes().count, 0) << "poison was put back";
      }
    }
  }
}

TEST(PagedCache, SaysWhenThereIsNoAddressSpace) {
  EXPECT_THROW(AddressSpan(std::size_t{1} << 62), ResourceError);
}

}  // namespace
}  // namespace helixcheck
