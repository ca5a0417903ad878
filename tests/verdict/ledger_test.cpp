// Who is blamed, in which words, and what is kept over the steps.

#include "verdict/ledger.hpp"

#include <gtest/gtest.h>

namespace helixcheck {
namespace {

Place place_at(std::int64_t step, std::int64_t row, std::int64_t head, std::int64_t rank) {
  Place place;
  place.step = step;
  place.request = 0;
  place.row = row;
  place.head = head;
  place.rank = rank;
  place.element = 0;
  return place;
}

TEST(Ledger, BlamesTheFirstStepsFirstTapInPipelineOrder) {
  Ledger ledger;
  ledger.tap(Tap::q).compare(Dtype::fp32, 1.0, 1.0, 0, place_at(1, 0, 0, 0));
  ledger.close_step();
  EXPECT_FALSE(ledger.failed());
  ledger.tap(Tap::output).compare(Dtype::fp32, 9.0, 1.0, 0, place_at(2, 0, -1, 0));
  ledger.tap(Tap::lse).compare(Dtype::fp32, 3.25, 3.5, 0.125, place_at(2, 1, 3, 1));
  ledger.close_step();
  ledger.tap(Tap::q).compare(Dtype::fp32, 2.0, 1.0, 0, place_at(3, 0, 0, 0));
  ledger.close_step();
  const Verdict verdict = ledger.verdict();
  EXPECT_FALSE(verdict.pass);
  ASSERT_TRUE(verdict.blame);
  EXPECT_EQ(verdict.blame->stage, Stage::attend);
  EXPECT_EQ(verdict.blame->tap, Tap::lse);
  EXPECT_EQ(verdict.blame->sentence,
            "step 2: attend wrote lse 3.25 for request 0, row 1, head 3, element 0 on rank 1; "
            "expected 3.5 +- 0.12 before rounding");
  ASSERT_EQ(verdict.taps.size(), 3u);
  EXPECT_EQ(verdict.taps[0].tap, Tap::q);  // pipeline order
  EXPECT_EQ(verdict.taps[0].values, 2);
  EXPECT_EQ(verdict.taps[2].tap, Tap::output);
}

TEST(Ledger, PlansSetIntegers) {
  TapResult r;
  r.tap = Tap::visible;
  r.worst.step = 1;
  r.worst.row = 0;
  r.worst.rank = 1;
  r.worst_got = 5;
  r.worst_want = 4;
  EXPECT_EQ(blame_for(r).sentence, "step 1: plan set visible 5 for row 0 on rank 1; expected 4");
}

TEST(Ledger, NotesAreKeptOnceAndHiddenTapsListed) {
  Ledger ledger;
  ledger.note("a");
  ledger.note("b");
  ledger.note("a");
  ledger.absent(Tap::lse);
  ledger.absent(Tap::q_a);
  EXPECT_EQ(ledger.verdict().notes,
            (std::vector<std::string>{"a", "b", "not shown, hence not judged: q_a, lse"}));
}

TEST(Verdict, WorstIsTheLargestRatio) {
  Verdict verdict;
  EXPECT_EQ(verdict.worst(), nullptr);
  verdict.taps.resize(3);
  verdict.taps[1].worst_ratio = 0.7;
  verdict.taps[2].worst_ratio = 0.3;
  EXPECT_EQ(verdict.worst(), &verdict.taps[1]);
}

TEST(Ledger, ExplainsTheBlameItHas) {
  Ledger ledger;
  ledger.explain("nothing failed");
  EXPECT_FALSE(ledger.blame());
  ledger.tap(Tap::lse).compare(Dtype::fp32, 2, 1, 0, {});
  ledger.close_step();
  const std::string before = ledger.blame()->sentence;
  ledger.explain("");
  EXPECT_EQ(ledger.blame()->sentence, before);
  ledger.explain("key 3 is missing");
  EXPECT_EQ(ledger.verdict().blame->sentence, before + "; key 3 is missing");
}

}  // namespace
}  // namespace helixcheck
