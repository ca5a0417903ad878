// What a script with defaults stands for. History and validation rely on the written-out form.

#include <gtest/gtest.h>

#include "scenario/scenario.hpp"

namespace helixcheck {
namespace {

using Ids = std::vector<std::int64_t>;

TEST(ExpandScript, DefaultJoinsAllAndDecodes) {
  Scenario s;
  s.problem.ctx_len = {3, 5};
  s.problem.decode_steps = 2;
  s.problem.predicted_tokens_per_seq = 4;
  EXPECT_EQ(expand_script(s), (std::vector<Step>{{StepKind::join, {0, 1}, {}},
                                                 {StepKind::decode, {0, 1}, {4, 4}},
                                                 {StepKind::decode, {0, 1}, {4, 4}}}));
}

TEST(ExpandScript, WritesOutWhoIsLive) {
  Scenario s;
  s.problem.ctx_len = {3, 5, 7};
  s.script = {{StepKind::join, {1}, {}},  {StepKind::decode, {}, {}},  {StepKind::join, {}, {}},
              {StepKind::fork, {2}, {}},  {StepKind::finish, {0}, {}}, {StepKind::decode, {}, {}},
              {StepKind::reject, {}, {}}, {StepKind::finish, {}, {}}};
  EXPECT_EQ(expand_script(s), (std::vector<Step>{{StepKind::join, {1}, {}},
                                                 {StepKind::decode, {1}, {1}},
                                                 {StepKind::join, {0, 2}, {}},
                                                 {StepKind::fork, {2}, {}},
                                                 {StepKind::finish, {0}, {}},
                                                 {StepKind::decode, {1, 2, 3}, {1, 1, 1}},
                                                 {StepKind::reject, {1, 2, 3}, {1, 1, 1}},
                                                 {StepKind::finish, {1, 2, 3}, {}}}));
}

TEST(ExpandScript, KeepsWhatIsWritten) {
  Scenario s;
  s.problem.ctx_len = {3, 5};
  s.script = {{StepKind::join, {1, 0}, {}}, {StepKind::decode, {1, 0}, {0, 8}}};
  EXPECT_EQ(expand_script(s), s.script);
}

TEST(ExpandScript, MergeHasNone) {
  Scenario s;
  s.problem.entry = Entry::merge;
  EXPECT_TRUE(expand_script(s).empty());
}

}  // namespace
}  // namespace helixcheck
