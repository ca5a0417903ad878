// What a search counts: levels, pairs, sizes, properties and ratios, alone and put together from
// the threads' parts; and that no more pairs are ever drawn than are possible.

#include "campaign/statistics.hpp"

#include <gtest/gtest.h>

#include "generate/compatibility.hpp"

namespace helixcheck {
namespace {

// All features at their plain level, but for one.
DrawnScenario drawn_with(std::size_t feature, std::uint8_t level, Size size = Size::small) {
  DrawnScenario drawn;
  drawn.selection = Selection(features().size(), 0);
  drawn.selection[feature] = level;
  drawn.size = size;
  return drawn;
}

PropertyResult result(std::int64_t runs, Tap tap = Tap::combined, double ratio = 0) {
  PropertyResult made;
  made.subject_runs = runs;
  made.taps.resize(1);
  made.taps[0].tap = tap;
  made.taps[0].worst_ratio = ratio;
  return made;
}

// Pairs of `n` features.
std::size_t pairs_of(std::size_t n) {
  return n * (n - 1) / 2;
}

TEST(Statistics, StartWithNothing) {
  const Statistics none;
  EXPECT_EQ(none.cases(), 0u);
  EXPECT_EQ(none.subject_runs(), 0u);
  EXPECT_EQ(none.unjudged(), 0u);
  EXPECT_EQ(none.pairs_drawn(), 0u);
  EXPECT_EQ(none.share_of_time(Size::small), 0);
  EXPECT_EQ(none.worst_ratio(), 0);
  EXPECT_TRUE(none.by_property().empty());
}

TEST(Statistics, CountLevelsAndPairs) {
  const std::size_t n = features().size();
  Statistics all;
  all.add(drawn_with(1, 0), "equivalence", result(1), 1);
  EXPECT_EQ(all.pairs_drawn(), pairs_of(n));
  all.add(drawn_with(1, 2), "equivalence", result(1), 1);
  EXPECT_EQ(all.pairs_drawn(), pairs_of(n) + n - 1) << "one other level with all the others";
  all.add(drawn_with(1, 2), "equivalence", result(1), 1);
  EXPECT_EQ(all.pairs_drawn(), pairs_of(n) + n - 1) << "distinct ones";
  const std::size_t plain = first_level(1), other = plain + 2, last = first_level(n - 1);
  EXPECT_EQ(all.drawn(plain), 1u);
  EXPECT_EQ(all.drawn(other), 2u);
  EXPECT_EQ(all.drawn(plain + 1), 0u);
  EXPECT_EQ(all.drawn(0), 3u);
  EXPECT_EQ(all.drawn(other, last), 2u);
  EXPECT_EQ(all.drawn(last, other), 2u) << "in either order";
  EXPECT_EQ(all.drawn(plain, other), 0u) << "two levels of one feature";
}

TEST(Statistics, CountRunsSizesAndProperties) {
  Statistics all;
  all.add(drawn_with(0, 0), "equivalence", result(1), 0.25);
  all.add(drawn_with(0, 0), "replay", result(3), 0.25);
  all.add(drawn_with(0, 0, Size::medium), "equivalence", result(2), 1.5);
  all.add_unjudged();
  EXPECT_EQ(all.cases(), 3u);
  EXPECT_EQ(all.subject_runs(), 6u);
  EXPECT_EQ(all.unjudged(), 1u);
  EXPECT_EQ(all.cases_of(Size::small), 2u);
  EXPECT_EQ(all.cases_of(Size::medium), 1u);
  EXPECT_EQ(all.cases_of(Size::full), 0u);
  EXPECT_EQ(all.share_of_time(Size::small), 0.25);
  EXPECT_EQ(all.share_of_time(Size::medium), 0.75);
  EXPECT_EQ(all.share_of_time(Size::full), 0);
  EXPECT_EQ(all.by_property().size(), 2u);
  EXPECT_EQ(all.by_property().at("equivalence"), 2u);
  EXPECT_EQ(all.by_property().at("replay"), 1u);
}

TEST(Statistics, KeepTheWorstRatioOfEachTap) {
  Statistics all;
  all.add(drawn_with(0, 0), "equivalence", result(1, Tap::combined, 0.5), 1);
  all.add(drawn_with(0, 0), "equivalence", result(1, Tap::combined, 0.25), 1);
  all.add(drawn_with(0, 0), "equivalence", result(1, Tap::output, 0.75), 1);
  EXPECT_EQ(all.worst_ratios()[static_cast<std::size_t>(Tap::combined)], 0.5);
  EXPECT_EQ(all.worst_ratios()[static_cast<std::size_t>(Tap::output)], 0.75);
  EXPECT_EQ(all.worst_ratios()[static_cast<std::size_t>(Tap::position)], 0);
  EXPECT_EQ(all.worst_ratio(), 0.75);
}

// Whatever the parts, the sum is what one thread would have counted.
TEST(Statistics, MergeToTheSame) {
  Statistics whole, parts[2];
  for (std::size_t i = 0; i < 6; ++i) {
    const DrawnScenario drawn = drawn_with(i, 1, i % 3 == 0 ? Size::medium : Size::small);
    const std::string property = i % 2 == 0 ? "equivalence" : i == 3 ? "replay" : "causality";
    const PropertyResult shown =
        result(static_cast<std::int64_t>(i), i < 3 ? Tap::combined : Tap::output,
               0.125 * static_cast<double>(i));
    for (Statistics* counted : {&whole, &parts[i % 2]}) {
      counted->add(drawn, property, shown, static_cast<double>(i));
    }
  }
  whole.add_unjudged();
  parts[1].add_unjudged();
  Statistics sum;
  for (const Statistics& part : parts) sum.merge(part);
  EXPECT_EQ(sum.cases(), whole.cases());
  EXPECT_EQ(sum.subject_runs(), whole.subject_runs());
  EXPECT_EQ(sum.unjudged(), 1u);
  EXPECT_EQ(sum.pairs_drawn(), whole.pairs_drawn());
  for (std::size_t a = 0; a < level_count(); ++a) {
    for (std::size_t b = a; b < level_count(); ++b) EXPECT_EQ(sum.drawn(a, b), whole.drawn(a, b));
  }
  for (const Size size : kSizes) {
    EXPECT_EQ(sum.cases_of(size), whole.cases_of(size));
    EXPECT_EQ(sum.share_of_time(size), whole.share_of_time(size));
  }
  EXPECT_EQ(sum.by_property(), whole.by_property());
  EXPECT_EQ(sum.worst_ratios(), whole.worst_ratios());
}

TEST(Statistics, OfASeriesCountEveryPossiblePairAndNoOther) {
  const ScenarioSeries series(1);
  const PropertyResult nothing;
  Statistics all;
  for (std::uint64_t i = 0; i < series.covering_cases() + 30000; ++i) {
    all.add(series.draw(i), "equivalence", nothing, 0);
    if (i + 1 == series.covering_cases()) {
      EXPECT_EQ(all.pairs_drawn(), Compatibility::get().pairs()) << "by the covering cases";
    }
  }
  EXPECT_EQ(all.pairs_drawn(), Compatibility::get().pairs());
}

}  // namespace
}  // namespace helixcheck
