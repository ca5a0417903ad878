// The machine's free memory, and scenarios that do not fit it.

#include "run/memory.hpp"

#include <gtest/gtest.h>

#include "run/run.hpp"
#include "scenario/error.hpp"
#include "scenario/validate.hpp"

namespace helixcheck {
namespace {

TEST(Memory, IsPlausible) {
  EXPECT_GT(available_memory_bytes(), std::int64_t{16} << 20);
  EXPECT_LT(available_memory_bytes(), std::int64_t{1} << 50);
}

TEST(Memory, ScenariosThatDoNotFitAreRefused) {
  Scenario s;
  require_memory(s);
  s.problem.entry = Entry::core;
  s.problem.ctx_len.assign(256, 1 << 20);
  ASSERT_EQ(find_error(s), std::nullopt);
  EXPECT_THROW(require_memory(s), InputError);
}

}  // namespace
}  // namespace helixcheck
