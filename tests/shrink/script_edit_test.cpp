#include "shrink/script_edit.hpp"

#include <gtest/gtest.h>

#include "failing.hpp"
#include "scenario/validate.hpp"

namespace helixcheck {
namespace {

// 0 and 1 join, 1 is forked to 2, 2 is forked to 3.
Scenario forked() {
  Scenario s;
  s.problem.ctx_len = {5, 6};
  s.script = {{StepKind::join, {}, {}},       {StepKind::decode, {0, 1}, {2, 3}},
              {StepKind::fork, {1}, {}},      {StepKind::decode, {1, 2}, {1, 4}},
              {StepKind::fork, {2}, {}},      {StepKind::reject, {2, 3}, {4, 2}},
              {StepKind::decode, {3, 0}, {}}, {StepKind::finish, {0}, {}}};
  return s;
}

TEST(ScriptEdit, TakenApartAndPutTogetherIsTheSame) {
  for (std::uint64_t index = 0; index < 200; ++index) {
    const Scenario s = draw_scenario(7, index);
    const Scenario again = with_events(s, events_of(s));
    ASSERT_EQ(find_error(again), std::nullopt);
    EXPECT_EQ(expand_script(again), expand_script(s));
  }
}

TEST(ScriptEdit, DroppedRequestTakesItsForksAlongAndOthersMoveUp) {
  const Scenario s = forked();
  Scenario without_0 = with_events(s, events_of(s), {0});
  EXPECT_EQ(without_0.problem.ctx_len, std::vector<std::int64_t>{6});
  ASSERT_EQ(find_error(without_0), std::nullopt);
  const std::vector<Step> expected{{StepKind::join, {}, {}},   {StepKind::decode, {}, {3}},
                                   {StepKind::fork, {0}, {}},  {StepKind::decode, {}, {1, 4}},
                                   {StepKind::fork, {1}, {}},  {StepKind::reject, {1, 2}, {4, 2}},
                                   {StepKind::decode, {2}, {}}};
  EXPECT_EQ(without_0.script, expected);

  const Scenario without_1 = with_events(s, events_of(s), {1});
  const std::vector<Step> rest{{StepKind::join, {}, {}},
                               {StepKind::decode, {}, {2}},
                               {StepKind::decode, {}, {}},
                               {StepKind::finish, {}, {}}};
  EXPECT_EQ(without_1.script, rest);
}

TEST(ScriptEdit, RejectionsAreCutToWhatWasGenerated) {
  const Scenario s = forked();
  std::vector<Event> events = events_of(s);
  events.erase(events.begin() + 3);  // the decode whose tokens request 2 rejects
  const Scenario fewer = with_events(s, events);
  ASSERT_EQ(find_error(fewer), std::nullopt);
  EXPECT_EQ(fewer.script[4], (Step{StepKind::reject, {2, 3}, {3, 2}}));
}

TEST(ScriptEdit, DefaultScriptBecomesItsTwoFields) {
  Scenario s;
  s.problem.ctx_len = {5, 6};
  s.script = {{StepKind::join, {0, 1}, {}},
              {StepKind::decode, {0, 1}, {2, 2}},
              {StepKind::decode, {}, {2, 2}}};
  const Scenario plain = with_events(s, events_of(s));
  EXPECT_TRUE(plain.script.empty());
  EXPECT_EQ(plain.problem.decode_steps, 2);
  EXPECT_EQ(plain.problem.predicted_tokens_per_seq, 2);
}

}  // namespace
}  // namespace helixcheck
