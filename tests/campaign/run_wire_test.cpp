// Messages between a search and its ranks come back as they were sent.

#include "campaign/run_wire.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "generate/scenario_draw.hpp"
#include "process/frames.hpp"
#include "scenario/error.hpp"

namespace helixcheck {
namespace {

TEST(RunWire, OrdersComeBack) {
  for (std::uint64_t index = 0; index < 50; ++index) {
    RunOrder order{draw_scenario(7, index), index % 2 == 0};
    order.scenario.run.transport = TransportKind::staged;
    const RunOrder back = unpack_order(pack(order));
    EXPECT_EQ(back.scenario, order.scenario);
    EXPECT_EQ(back.repeat_failures, order.repeat_failures);
  }
}

TEST(RunWire, AnswersComeBack) {
  RunAnswer answer;
  answer.outcome = RunAnswer::Outcome::subject_error;
  answer.message = "no\nsuch luck";
  answer.stage = Stage::exchange;
  answer.result.output_hash = ~std::uint64_t{0};
  answer.result.repeated = true;
  answer.result.same_again = false;
  answer.result.verdict.pass = false;
  TapResult tap;
  tap.tap = Tap::combined;
  tap.worst_ratio = 1.5;
  answer.result.verdict.taps = {tap, TapResult{}};
  Blame blame{Stage::combine, Tap::combined, {}, "step 1: combined is wrong"};
  blame.place.rank = 3;
  answer.result.verdict.blame = blame;

  const RunAnswer back = unpack_answer(pack(answer));
  EXPECT_EQ(back.outcome, answer.outcome);
  EXPECT_EQ(back.message, answer.message);
  EXPECT_EQ(back.stage, Stage::exchange);
  EXPECT_EQ(back.result.output_hash, ~std::uint64_t{0});
  EXPECT_TRUE(back.result.repeated);
  EXPECT_FALSE(back.result.same_again);
  EXPECT_FALSE(back.result.verdict.pass);
  ASSERT_EQ(back.result.verdict.taps.size(), 2u);
  EXPECT_EQ(back.result.verdict.taps[0].tap, Tap::combined);
  EXPECT_EQ(back.result.verdict.taps[0].worst_ratio, 1.5);
  ASSERT_TRUE(back.result.verdict.blame.has_value());
  EXPECT_EQ(back.result.verdict.blame->tap, Tap::combined);
  EXPECT_EQ(back.result.verdict.blame->place.rank, 3);
  EXPECT_EQ(back.result.verdict.blame->sentence, blame.sentence);
}

TEST(RunWire, AMessageThatIsCutOffIsAnError) {
  const std::string whole = pack(RunAnswer{});
  EXPECT_THROW(unpack_answer(whole.substr(0, whole.size() - 1)), ResourceError);
  EXPECT_THROW(unpack_answer(""), ResourceError);
}

TEST(RunWire, FramesEndWithTheStream) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  EXPECT_TRUE(write_frame(ends[1], "one"));
  EXPECT_TRUE(write_frame(ends[1], ""));
  close(ends[1]);
  std::string bytes;
  EXPECT_TRUE(read_frame(ends[0], bytes));
  EXPECT_EQ(bytes, "one");
  EXPECT_TRUE(read_frame(ends[0], bytes));
  EXPECT_EQ(bytes, "");
  EXPECT_FALSE(read_frame(ends[0], bytes));
  close(ends[0]);
}

}  // namespace
}  // namespace helixcheck
