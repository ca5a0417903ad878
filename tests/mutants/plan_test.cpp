// What a plan reads that asks for pages behind its table is the same in every run.

#include "subject/mutants/plan.hpp"

#include <array>
#include <gtest/gtest.h>

namespace helixcheck::planted {
namespace {

TEST(MutantPlan, ReadsTheNextRowBehindOneAndNothingAroundTheTable) {
  // Two rows of two pages, with a gap behind each, in the midst of other memory.
  const std::array<std::int64_t, 10> memory{77, 77, 0, 1, 8, 2, 3, 77, 77, 77};
  hxc_step step{};
  step.block_table = dense(memory.data() + 2, HXC_INT64, {2, 2});
  step.block_table.stride[0] = 3;
  const auto page_id = [&](std::int64_t request, std::int64_t page) {
    return PlanDecisions::page_id({step, request, 0, 0, 0, 0}, page);
  };
  EXPECT_EQ(page_id(0, 1), 1);
  EXPECT_EQ(page_id(0, 3), 2);
  EXPECT_EQ(page_id(1, 1), 3);
  EXPECT_EQ(page_id(1, 2), -1);
  EXPECT_EQ(page_id(1, 3), -1);
  EXPECT_EQ(page_id(0, -1), -1);
}

}  // namespace
}  // namespace helixcheck::planted
