// What a search counts: levels, pairs, sizes, properties and ratios, alone and put together from
// the threads' parts; and that no more pairs are ever drawn than are possible.

#include "campaign/statistics.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "generate/compatibility.hpp"
#include "scenario/error.hpp"

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

void expect_same(const Statistics& a, const Statistics& b) {
  EXPECT_EQ(a.cases(), b.cases());
  EXPECT_EQ(a.subject_runs(), b.subject_runs());
  EXPECT_EQ(a.unjudged(), b.unjudged());
  EXPECT_EQ(a.pairs_drawn(), b.pairs_drawn());
  for (std::size_t i = 0; i < level_count(); ++i) {
    for (std::size_t j = i; j < level_count(); ++j) EXPECT_EQ(a.drawn(i, j), b.drawn(i, j));
  }
  for (const Size size : kSizes) {
    EXPECT_EQ(a.cases_of(size), b.cases_of(size));
    EXPECT_EQ(a.share_of_time(size), b.share_of_time(size));
  }
  EXPECT_EQ(a.by_property(), b.by_property());
  EXPECT_EQ(a.worst_ratios(), b.worst_ratios());
  for (std::size_t tap = 0; tap < kTapCount; ++tap) {
    for (int log2 = Statistics::kLowestLog2; log2 <= Statistics::kHighestLog2; ++log2) {
      EXPECT_EQ(a.cases_with_ratio(static_cast<Tap>(tap), log2),
                b.cases_with_ratio(static_cast<Tap>(tap), log2));
    }
  }
}

TEST(Statistics, CountRatiosByOctaves) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::pair<double, int> samples[] = {
      {0, -60},       {5e-324, -60}, {0x1p-61, -60}, {0x1p-60, -60},    {0x1.8p-60, -60},
      {0x1p-59, -59}, {0.25, -2},    {0.4999, -2},   {0.5, -1},         {0.9999, -1},
      {1, 0},         {1.9, 0},      {2, 1},         {7.999, 2},        {8, 3},
      {1e9, 3},       {1e308, 3},    {kInfinity, 3}, {std::nan(""), 3},
  };
  for (const auto& [ratio, log2] : samples) {
    Statistics all;
    all.add(drawn_with(0, 0), "equivalence", result(1, Tap::lse, ratio), 1);
    for (int i = Statistics::kLowestLog2; i <= Statistics::kHighestLog2; ++i) {
      EXPECT_EQ(all.cases_with_ratio(Tap::lse, i), i == log2 ? 1u : 0u) << ratio << ": " << i;
      EXPECT_EQ(all.cases_with_ratio(Tap::combined, i), 0u);
    }
  }
}

Statistics some_statistics() {
  Statistics some;
  for (std::size_t i = 0; i < 12; ++i) {
    const auto tap = static_cast<Tap>(i % kTapCount);
    some.add(drawn_with(i, 1, kSizes[i % kSizes.size()]), i % 3 == 0 ? "replay" : "equivalence",
             result(static_cast<std::int64_t>(i), tap, std::exp2(static_cast<double>(i) - 9)), 0.5);
  }
  some.add(drawn_with(0, 0), "a property", result(1, Tap::output, HUGE_VAL), 0.25);
  some.add_unjudged();
  return some;
}

std::string packed(const Statistics& statistics) {
  Packer to;
  statistics.pack_into(to);
  return to.text("end").take();
}

TEST(Statistics, ComeBackFromAnotherProcess) {
  for (const Statistics& sent : {some_statistics(), Statistics()}) {
    const std::string bytes = packed(sent);
    Unpacker from(bytes);
    expect_same(Statistics::unpack_from(from), sent);
    EXPECT_EQ(from.text(), "end") << "all of it was read";
  }
}

TEST(Statistics, CutOffAreAnError) {
  const std::string whole = packed(some_statistics());
  const std::size_t size = whole.size() - sizeof(std::size_t) - 3;
  for (std::size_t bytes = 0; bytes < size; bytes += 1 + bytes / 40) {
    const std::string part = whole.substr(0, bytes);
    Unpacker from(part);
    EXPECT_THROW(Statistics::unpack_from(from), ResourceError) << bytes;
  }
}

// As a store keeps them.
TEST(Statistics, PairsAndRatiosCanBePutBack) {
  const Statistics before = some_statistics();
  Statistics again;
  for (std::size_t a = 0; a < level_count(); ++a) {
    for (std::size_t b = a; b < level_count(); ++b) {
      if (before.drawn(a, b) > 0) again.restore_pair(b, a, before.drawn(a, b));
    }
  }
  for (std::size_t i = 0; i < kTapCount; ++i) {
    const auto tap = static_cast<Tap>(i);
    for (int log2 = Statistics::kLowestLog2; log2 <= Statistics::kHighestLog2; ++log2) {
      const std::uint64_t cases = before.cases_with_ratio(tap, log2);
      if (cases > 0) again.restore_ratios(tap, log2, cases, before.worst_ratios()[i]);
    }
  }
  EXPECT_EQ(again.pairs_drawn(), before.pairs_drawn());
  EXPECT_EQ(again.worst_ratios(), before.worst_ratios());
  EXPECT_EQ(again.cases(), 0u) << "these are not cases of this run";
  Statistics expected = before, sum = before;
  expected.merge(before);
  sum.merge(again);
  for (std::size_t a = 0; a < level_count(); ++a) {
    for (std::size_t b = a; b < level_count(); ++b) {
      ASSERT_EQ(sum.drawn(a, b), expected.drawn(a, b));
    }
  }
  EXPECT_EQ(sum.cases_with_ratio(Tap::output, 3), expected.cases_with_ratio(Tap::output, 3));
  again.restore_ratios(Tap::lse, -1000, 5, 0);
  again.restore_ratios(Tap::lse, 1000, 6, 0);
  EXPECT_EQ(again.cases_with_ratio(Tap::lse, -60) - before.cases_with_ratio(Tap::lse, -60), 5u);
  EXPECT_EQ(again.cases_with_ratio(Tap::lse, 3) - before.cases_with_ratio(Tap::lse, 3), 6u);
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
  EXPECT_EQ(sum.unjudged(), 1u);
  expect_same(sum, whole);
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
