// Drawing scenarios: valid from any choices, a function of seed and index alone, every level and
// every possible pair of levels, never an impossible one.

#include "generate/scenario_draw.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <string>

#include "generate/compatibility.hpp"
#include "scenario/validate.hpp"

namespace helixcheck {
namespace {

using Bytes = std::vector<std::uint8_t>;

DrawnScenario from_bytes(const Bytes& bytes) {
  ByteChoices choices(bytes);
  return draw_with_levels(choices);
}

Bytes random_bytes(std::uint64_t index) {
  CounterChoices choices(11, index);
  Bytes bytes(choices.below(400));
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(choices.below(256));
  return bytes;
}

bool same(const DrawnScenario& a, const DrawnScenario& b) {
  return a.scenario == b.scenario && a.selection == b.selection && a.size == b.size;
}

// How often levels were drawn together; on the diagonal, at all.
class Counts {
 public:
  void add(const Selection& selection) {
    for (std::size_t f = 0; f < selection.size(); ++f) {
      for (std::size_t g = f; g < selection.size(); ++g) {
        ++counts_[(first_level(f) + selection[f]) * level_count() + first_level(g) + selection[g]];
      }
    }
  }
  int of(std::size_t a, std::size_t b) const { return counts_[a * level_count() + b]; }

  void expect_no_impossible_pair() const {
    for (const Compatibility::Exclusion& pair : Compatibility::get().exclusions()) {
      EXPECT_EQ(of(pair.a, pair.b), 0)
          << level_text(pair.a) << " was drawn with " << level_text(pair.b) << ": " << pair.reason;
    }
  }

 private:
  std::vector<int> counts_ = std::vector<int>(level_count() * level_count());
};

TEST(DrawScenario, IsValidFromAnyBytes) {
  for (const std::size_t length : {0, 1, 2, 7, 64, 4096}) {
    for (const std::uint8_t byte : {0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff}) {
      const auto error = find_error(from_bytes(Bytes(length, byte)).scenario);
      EXPECT_FALSE(error) << length << " bytes " << int{byte} << ": " << *error;
    }
  }
  for (std::uint64_t index = 0; index < 5000; ++index) {
    const auto error = find_error(from_bytes(random_bytes(index)).scenario);
    EXPECT_FALSE(error) << "string " << index << ": " << *error;
  }
}

TEST(DrawScenario, FromBytesAndFromCountersKeepsToPossiblePairs) {
  Counts counts;
  for (std::uint64_t index = 0; index < 10000; ++index) {
    counts.add(from_bytes(random_bytes(index)).selection);
    CounterChoices choices(12, index);
    counts.add(draw_with_levels(choices).selection);
  }
  counts.expect_no_impossible_pair();
}

TEST(DrawScenario, OfNoBytesIsThePlainestOne) {
  const DrawnScenario plain = from_bytes({});
  EXPECT_EQ(plain.selection, Selection(features().size(), 0));
  EXPECT_EQ(plain.size, Size::small);
}

// Not every byte decides: now and then only one level is left to choose from.
TEST(DrawScenario, FollowsWhatTheBytesSay) {
  const Bytes bytes(400, 0x55);
  const DrawnScenario before = from_bytes(bytes);
  EXPECT_TRUE(same(before, from_bytes(bytes)));
  constexpr std::size_t kFirst = 2, kCount = 40;  // behind the size; as many as there are features
  std::size_t decisive = 0;
  for (std::size_t i = kFirst; i < kFirst + kCount; ++i) {
    bool decides = false;
    for (int value = 0; value < 256 && !decides; ++value) {
      Bytes changed = bytes;
      changed[i] = static_cast<std::uint8_t>(value);
      decides = !same(before, from_bytes(changed));
    }
    decisive += decides ? 1 : 0;
  }
  EXPECT_GT(decisive, kCount / 2);
}

TEST(DrawScenario, BySeedAndIndexIsAFunctionOfBoth) {
  EXPECT_EQ(draw_scenario(1, 5), draw_scenario(1, 5));
  EXPECT_FALSE(draw_scenario(1, 5) == draw_scenario(1, 6));
  EXPECT_FALSE(draw_scenario(1, 5) == draw_scenario(2, 5));
}

TEST(ScenarioSeries, CaseFollowsFromSeedAndIndexAlone) {
  const ScenarioSeries series(1), again(1);
  constexpr std::uint64_t kCases = 600;
  std::vector<DrawnScenario> forwards;
  for (std::uint64_t i = 0; i < kCases; ++i) forwards.push_back(series.draw(i));
  for (std::uint64_t i = kCases; i-- > 0;) {
    EXPECT_TRUE(same(again.draw(i), forwards[i])) << "case " << i << " drawn in reverse order";
  }
  const std::uint64_t far = std::uint64_t{1} << 40;
  EXPECT_TRUE(same(series.draw(far), again.draw(far)));
}

TEST(ScenarioSeries, DiffersBySeedIndexAndAttempt) {
  const ScenarioSeries series(1), other(2);
  for (std::uint64_t i = 0; i < 500; ++i) {
    const Scenario scenario = series.draw(i).scenario;
    EXPECT_FALSE(scenario == other.draw(i).scenario) << i;
    EXPECT_FALSE(scenario == series.draw(i + 1).scenario) << i;
    EXPECT_FALSE(scenario == series.draw(i, 1).scenario) << i;
    EXPECT_FALSE(scenario == series.draw(i + (std::uint64_t{1} << 32)).scenario) << i;
  }
}

TEST(ScenarioSeries, BeginsWithEveryPossiblePair) {
  const ScenarioSeries series(1);
  Counts counts;
  for (std::uint64_t i = 0; i < series.covering_cases(); ++i) {
    const DrawnScenario drawn = series.draw(i);
    EXPECT_EQ(drawn.size, Size::small);
    counts.add(drawn.selection);
  }
  for (std::size_t a = 0; a < level_count(); ++a) {
    for (std::size_t b = a + 1; b < level_count(); ++b) {
      if (!Compatibility::get().together(a, b)) continue;
      EXPECT_GT(counts.of(a, b), 0) << level_text(a) << " with " << level_text(b);
    }
  }
  counts.expect_no_impossible_pair();
}

// The statistics count pairs of the whole series against those that are possible.
TEST(ScenarioSeries, NeverLosesALevelNorDrawsAnImpossiblePair) {
  const ScenarioSeries series(1);
  Counts later;
  for (std::uint64_t i = 0; i < 30000; ++i) {
    const DrawnScenario drawn = series.draw(series.covering_cases() + i);
    ASSERT_FALSE(find_error(drawn.scenario));
    later.add(drawn.selection);
  }
  for (std::size_t level = 0; level < level_count(); ++level) {
    EXPECT_GE(later.of(level, level), 30) << level_text(level) << " is hardly ever drawn";
  }
  later.expect_no_impossible_pair();
}

// Swarm testing: a block does without about half of the levels, and never without the plain ones.
TEST(ScenarioSeries, BlocksGoWithoutLevels) {
  const ScenarioSeries series(1);
  const std::uint64_t begin = (series.covering_cases() / 64 + 1) * 64;
  for (std::uint64_t block = 0; block < 2; ++block) {
    Counts counts;
    for (std::uint64_t i = 0; i < 64; ++i) {
      counts.add(series.draw(begin + 64 * block + i).selection);
    }
    std::size_t drawn_levels = 0;
    for (std::size_t level = 0; level < level_count(); ++level) {
      drawn_levels += counts.of(level, level) > 0 ? 1 : 0;
    }
    EXPECT_LT(drawn_levels, level_count() * 2 / 3);
    EXPECT_GT(drawn_levels, level_count() / 4);
  }
}

}  // namespace
}  // namespace helixcheck
