// The covering array: every possible pair of levels occurs, no impossible one does, and the rows
// are few and cheap.

#include "generate/covering.hpp"

#include <algorithm>
#include <gtest/gtest.h>

#include "generate/compatibility.hpp"
#include "generate/cost.hpp"
#include "scenario/validate.hpp"

namespace helixcheck {
namespace {

constexpr std::uint64_t kSeeds[] = {0, 1, 42, ~std::uint64_t{0}};

std::size_t level_of(const Selection& row, std::size_t feature) {
  return first_level(feature) + row[feature];
}

// Calls visit(a, b), a < b, for each pair of levels of a row.
template <typename Visit>
void visit_pairs(const Selection& row, const Visit& visit) {
  for (std::size_t f = 0; f < row.size(); ++f) {
    for (std::size_t g = f + 1; g < row.size(); ++g) visit(level_of(row, f), level_of(row, g));
  }
}

TEST(CoveringArray, HasEveryPossiblePair) {
  for (const std::uint64_t seed : kSeeds) {
    std::vector<bool> seen(level_count() * level_count());
    for (const Selection& row : covering_array(seed)) {
      visit_pairs(row, [&](std::size_t a, std::size_t b) { seen[a * level_count() + b] = true; });
    }
    for (std::size_t a = 0; a < level_count(); ++a) {
      for (std::size_t b = a + 1; b < level_count(); ++b) {
        if (!Compatibility::get().together(a, b)) continue;
        EXPECT_TRUE(seen[a * level_count() + b])
            << "seed " << seed << ": " << level_text(a) << " never meets " << level_text(b);
      }
    }
  }
}

TEST(CoveringArray, HasNoImpossiblePair) {
  for (const std::uint64_t seed : kSeeds) {
    for (const Selection& row : covering_array(seed)) {
      visit_pairs(row, [&](std::size_t a, std::size_t b) {
        EXPECT_TRUE(Compatibility::get().together(a, b))
            << "seed " << seed << ": " << level_text(a) << " meets " << level_text(b);
      });
    }
  }
}

TEST(CoveringArray, RowsAreWholeAndValidWhateverIsDrawnInThem) {
  CounterChoices choices(7, 0);
  for (const std::uint64_t seed : kSeeds) {
    for (const Selection& row : covering_array(seed)) {
      ASSERT_EQ(row.size(), features().size());
      for (std::size_t f = 0; f < row.size(); ++f) ASSERT_LT(row[f], features()[f].levels.size());
      for (int i = 0; i < 5; ++i) {
        const auto error = find_error(realise(row, choices, Size::small));
        EXPECT_FALSE(error) << *error;
      }
    }
  }
}

// The two features with the most levels that all go together set the least number of rows. Dear
// levels must meet each other somewhere, so that a few arrays cost several times the usual: of 180,
// half took 0.36 s and the dearest 2 s.
TEST(CoveringArray, IsSmallAndCheap) {
  std::vector<double> costs;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    CounterChoices choices(seed, 0);
    const std::vector<Selection> rows = covering_array(seed);
    EXPECT_GE(rows.size(), 56u);
    EXPECT_LE(rows.size(), 220u);
    double all_s = 0;
    for (const Selection& row : rows) {
      const Scenario scenario = realise(row, choices, Size::small);
      all_s += forecast_seconds(scenario);
      EXPECT_LT(memory_need_bytes(scenario), std::int64_t{512} << 20);
    }
    costs.push_back(all_s);
  }
  std::sort(costs.begin(), costs.end());
  EXPECT_LT(costs[20], 0.5) << "all rows together are a fraction of a second";
  EXPECT_LT(costs[36], 1.0) << "nine times in ten";
  EXPECT_LT(costs.back(), 3.0);
}

TEST(CoveringArray, FollowsFromItsSeed) {
  EXPECT_EQ(covering_array(5), covering_array(5));
  EXPECT_NE(covering_array(5), covering_array(6));
}

}  // namespace
}  // namespace helixcheck
