// Genomes: valid whatever the bytes, stable under small changes, and drawn like the series.

#include "generate/genome.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <map>
#include <string>

#include "generate/compatibility.hpp"
#include "generate/cost.hpp"
#include "generate/level_draw.hpp"
#include "scenario/print.hpp"
#include "scenario/validate.hpp"

namespace helixcheck {
namespace {

std::size_t feature_named(std::string_view name) {
  for (std::size_t f = 0; f < features().size(); ++f) {
    if (features()[f].name == name) return f;
  }
  ADD_FAILURE() << "no feature " << name;
  return 0;
}

Genome random_genome(Choices& choices) {
  std::vector<std::uint8_t> bytes(genome_bytes());
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(choices.below(256));
  return genome_of(bytes);
}

// Valid, within the limits, and with levels that can meet.
void expect_sound(const Genome& genome, const std::string& which) {
  const DrawnScenario drawn = decode(genome);
  const auto error = find_error(drawn.scenario);
  ASSERT_FALSE(error) << which << ": " << *error;
  EXPECT_LE(forecast_seconds(drawn.scenario), kMostDecoded_s) << which;
  EXPECT_LE(memory_need_bytes(drawn.scenario), kMostMemory_bytes) << which;
  for (std::size_t f = 0; f < drawn.selection.size(); ++f) {
    for (std::size_t g = 0; g < f; ++g) {
      const std::size_t a = first_level(g) + drawn.selection[g];
      const std::size_t b = first_level(f) + drawn.selection[f];
      EXPECT_TRUE(Compatibility::get().together(a, b))
          << which << ": " << level_text(a) << " with " << level_text(b);
    }
  }
}

TEST(Genome, OfAnyBytesIsAValidScenario) {
  for (std::uint64_t i = 0; i < 100000 && !testing::Test::HasFailure(); ++i) {
    CounterChoices choices(1, i);
    expect_sound(random_genome(choices), "genome " + std::to_string(i));
  }
}

TEST(Genome, ChangedOrCrossedIsAValidScenario) {
  CounterChoices choices(2, 0);
  Genome a = draw_genome(choices), b = draw_genome(choices);
  for (int i = 0; i < 10000 && !testing::Test::HasFailure(); ++i) {
    Genome child = i % 3 == 0 ? cross(a, b, choices) : a;
    mutate(child, choices);
    expect_sound(child, "child " + std::to_string(i));
    b = std::move(a);
    a = std::move(child);
  }
}

// Levels that can meet in pairs can meet: `decode` need not repair anything.
TEST(Genome, LevelsItAsksForAreValidTogether) {
  for (std::uint64_t i = 0; i < 20000; ++i) {
    CounterChoices choices(3, i);
    Genome genome = random_genome(choices);
    genome.size = 0;
    const auto error = find_error(realise(levels_of(genome), choices, Size::small));
    ASSERT_FALSE(error) << "genome " << i << ": " << *error;
  }
}

TEST(Genome, OfZerosIsThePlainestScenario) {
  const DrawnScenario drawn = decode(genome_of({}));
  EXPECT_EQ(drawn.selection, Selection(features().size(), 0));
  EXPECT_EQ(drawn.size, Size::small);
  ByteChoices zeros({});
  EXPECT_EQ(drawn.scenario, realise(drawn.selection, zeros, Size::small));
}

TEST(Genome, TailOfZerosGoesOnWithZeros) {
  Genome genome = genome_of({});
  genome.lanes[feature_named("batch")].level = 3;  // 9 to 33
  genome.lanes[feature_named("batch")].values[0] = 24;
  const Problem& p = decode(genome).scenario.problem;
  ASSERT_EQ(p.batch(), 33);
  for (const std::int64_t length : p.ctx_len) EXPECT_EQ(length, 2);
  genome.lanes[feature_named("ctx_len")].values[kLaneBytes - 1] = 1;
  std::map<std::int64_t, int> lengths;
  for (const std::int64_t length : decode(genome).scenario.problem.ctx_len) ++lengths[length];
  EXPECT_GT(lengths.size(), 5u);
}

TEST(Genome, SurvivesTheWayThroughBytes) {
  for (std::uint64_t i = 0; i < 200; ++i) {
    CounterChoices choices(4, i);
    const Genome genome = random_genome(choices);
    EXPECT_EQ(genome_of(to_bytes(genome)), genome);
    std::vector<std::uint8_t> bytes = to_bytes(genome);
    ASSERT_EQ(bytes.size(), genome_bytes());
    bytes.push_back(7);
    EXPECT_EQ(genome_of(bytes), genome);
  }
  EXPECT_EQ(to_bytes(Genome{}), std::vector<std::uint8_t>(genome_bytes()));
  EXPECT_EQ(decode(Genome{}).selection, Selection(features().size(), 0));
}

TEST(Genome, LevelByteIsTheLevelWhereThatIsAllowed) {
  CounterChoices choices(5, 0);
  for (int i = 0; i < 500; ++i) {
    const Selection selection = draw_selection(~LevelSet(), choices);
    EXPECT_EQ(levels_of(genome_from(selection, Size::small, choices)), selection);
  }
}

TEST(Genome, SizeByteChoosesTheSize) {
  Genome genome = genome_of({});
  genome.size = kLongContextByte - 1;
  EXPECT_EQ(decode(genome).size, Size::small);
  genome.size = kLongContextByte;
  const DrawnScenario longer = decode(genome);
  EXPECT_EQ(longer.size, Size::long_context);
  EXPECT_GT(longer.scenario.problem.ctx_len.front(), 256);
  genome.size = kMediumByte;
  const DrawnScenario medium = decode(genome);
  EXPECT_EQ(medium.size, Size::medium);
  EXPECT_EQ(medium.scenario.problem.kv_lora_rank, 512);
}

TEST(Genome, TooDearIsMadePlainer) {
  Genome genome = genome_of({});
  const auto take = [&genome](std::string_view feature, std::uint8_t level) {
    Lane& lane = genome.lanes[feature_named(feature)];
    lane.level = level;
    lane.values.fill(255);
  };
  take("kvp", 6);
  take("heads", 3);
  take("batch", 3);
  take("ctx_len", 7);
  take("observe", 1);
  take("tokens", 3);
  const DrawnScenario drawn = decode(genome);
  EXPECT_NE(drawn.selection, levels_of(genome));
  EXPECT_EQ(drawn.selection[feature_named("kvp")], 6) << "more was taken away than needed";
  expect_sound(genome, "dear");
  EXPECT_EQ(drawn.scenario, decode(genome).scenario);
}

// Fields of the text that differ; a list counts once.
std::size_t fields_changed(const Scenario& a, const Scenario& b) {
  const auto lines = [](const Scenario& scenario) {
    std::map<std::string, std::string> fields;
    const std::vector<std::string> arguments = print_arguments(scenario);
    std::string* value = nullptr;
    for (const std::string& argument : arguments) {
      if (argument.starts_with("--")) {
        value = &fields[argument];
      } else {
        *value += argument + ";";
      }
    }
    return fields;
  };
  const auto before = lines(a), after = lines(b);
  std::size_t count = 0;
  for (const auto& [name, value] : before) {
    const auto other = after.find(name);
    count += other == after.end() || other->second != value ? 1 : 0;
  }
  for (const auto& [name, value] : after) count += before.contains(name) ? 0 : 1;
  return count;
}

TEST(Genome, OneChangedLaneChangesFewFields) {
  double sum = 0;
  constexpr int kTrials = 2000;
  for (int i = 0; i < kTrials; ++i) {
    CounterChoices choices(6, static_cast<std::uint64_t>(i));
    Genome genome = draw_genome(choices);
    const Scenario before = decode(genome).scenario;
    Lane& lane = genome.lanes[choices.below(genome.lanes.size())];
    for (std::uint8_t& value : lane.values) value = static_cast<std::uint8_t>(choices.below(256));
    lane.level = static_cast<std::uint8_t>(choices.below(256));
    sum += static_cast<double>(fields_changed(before, decode(genome).scenario));
  }
  EXPECT_LT(sum / kTrials, 2.5);
  EXPECT_GT(sum / kTrials, 0.5);
}

// Over many swarms a level is drawn as often as in the series.
TEST(Genome, IsDrawnLikeTheSeries) {
  constexpr std::uint64_t kCases = 32000;
  const ScenarioSeries series(1);
  std::vector<double> in_series(level_count()), in_genomes(level_count());
  const auto count = [](std::vector<double>& counts, const Selection& selection) {
    for (std::size_t f = 0; f < selection.size(); ++f) counts[first_level(f) + selection[f]] += 1;
  };
  for (std::uint64_t i = 0; i < kCases; ++i) {
    count(in_series, series.draw(series.covering_cases() + i).selection);
    CounterChoices choices(7, i);
    count(in_genomes, decode(draw_genome(choices)).selection);
  }
  for (std::size_t level = 0; level < level_count(); ++level) {
    // 64 cases share a swarm in the series, which adds to the spread.
    const double spread = 0.08 * in_series[level] + 8 * std::sqrt(in_series[level]) + 20;
    EXPECT_NEAR(in_genomes[level], in_series[level], spread) << level_text(level);
  }
}

// A mutant is near its parent, and mostly is not its parent.
TEST(Genome, MutantsDifferByAFewDecisions) {
  int same = 0;
  double lanes = 0;
  constexpr int kTrials = 3000;
  for (int i = 0; i < kTrials; ++i) {
    CounterChoices choices(8, static_cast<std::uint64_t>(i));
    const Genome parent = draw_genome(choices);
    Genome child = parent;
    mutate(child, choices);
    same += decode(child).scenario == decode(parent).scenario ? 1 : 0;
    for (std::size_t f = 0; f < features().size(); ++f) {
      lanes += child.lanes[f] == parent.lanes[f] ? 0 : 1;
    }
  }
  EXPECT_LT(same, kTrials / 5);
  EXPECT_LT(lanes / kTrials, 5);
  EXPECT_GT(lanes / kTrials, 1);
}

TEST(Genome, CrossesTakeEachLaneFromOneParent) {
  int from_b = 0;
  for (std::uint64_t i = 0; i < 300; ++i) {
    CounterChoices choices(9, i);
    const Genome a = random_genome(choices), b = random_genome(choices);
    const Genome child = cross(a, b, choices);
    for (std::size_t f = 0; f < features().size(); ++f) {
      const bool of_a = child.lanes[f] == a.lanes[f];
      EXPECT_TRUE(of_a || child.lanes[f] == b.lanes[f]);
      from_b += of_a ? 0 : 1;
    }
  }
  const double share = from_b / (300.0 * static_cast<double>(features().size()));
  EXPECT_NEAR(share, 0.5, 0.1);
}

}  // namespace
}  // namespace helixcheck
