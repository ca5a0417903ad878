// The largest sizes of a script, against a count by hand.

#include "helix/extents.hpp"

#include <gtest/gtest.h>

namespace helixcheck {
namespace {

TEST(Extents, FollowTheScript) {
  Scenario s;
  s.problem.entry = Entry::core;
  s.problem.ctx_len = {7, 12};
  s.layout.kvp = 2;
  s.layout.kv_cache_tokens_per_block = 4;
  s.layout.padding_rows = 3;
  s.script = {
      Step{StepKind::join, {0}, {}},          Step{StepKind::decode, {0}, {4}},
      Step{StepKind::reject, {0}, {3}},       Step{StepKind::join, {1}, {}},
      Step{StepKind::decode, {0, 1}, {1, 2}}, Step{StepKind::fork, {1}, {}},
  };
  const Extents extents = find_extents(s, expand_script(s));
  EXPECT_EQ(extents.rows, 4 + 3);
  EXPECT_EQ(extents.requests, 2);
  // Rank 1 holds 3 + 4 keys of request 0 at most, and 6 + 2 of request 1.
  EXPECT_EQ(extents.local_len, 8);
  EXPECT_EQ(extents.prompt_rows, 8);
  EXPECT_EQ(extents.pages_per_request, 2);
  // At the end: request 0 has (4, 5) keys, request 1 and its fork (6, 8) each.
  EXPECT_EQ(extents.pages, (std::vector<std::int64_t>{1 + 2 + 2, 2 + 2 + 2}));
}

}  // namespace
}  // namespace helixcheck
