#include "mutants/half.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace helixcheck {
namespace {

// Written down before any tuning: a change of the hash would mix the halves.
TEST(Half, StaysAsItWasDrawn) {
  EXPECT_EQ(half_of("merge_weight_base_2"), Half::tuning);
  EXPECT_EQ(half_of("a"), Half::tuning);
  EXPECT_EQ(half_of("b"), Half::held_out);
}

TEST(Half, SplitsEvenly) {
  int tuning = 0;
  for (int i = 0; i < 1000; ++i) tuning += half_of(fmt::format("mutant_{}", i)) == Half::tuning;
  EXPECT_GT(tuning, 440);
  EXPECT_LT(tuning, 560);
}

}  // namespace
}  // namespace helixcheck
