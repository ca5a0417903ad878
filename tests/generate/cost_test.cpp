// The forecast of a case's cost: it grows with what a case does, and by it the series spends most
// of its time on small cases and never needs much memory.

#include "generate/cost.hpp"

#include <array>
#include <gtest/gtest.h>

#include "generate/scenario_draw.hpp"
#include "scenario/validate.hpp"

namespace helixcheck {
namespace {

Scenario plain(Entry entry = Entry::core) {
  CounterChoices choices(1, 0);
  Scenario scenario = realise(Selection(features().size(), 0), choices, Size::small);
  scenario.problem.entry = entry;
  scenario.problem.ctx_len = {20, 30};
  return scenario;
}

// Changes one thing and returns how much more the case is said to cost.
template <typename Change>
double growth(Entry entry, const Change& change) {
  Scenario larger = plain(entry);
  change(larger);
  return forecast_seconds(larger) / forecast_seconds(plain(entry));
}

TEST(Cost, GrowsWithEverythingThatIsComputed) {
  for (const Entry entry : {Entry::core, Entry::layer}) {
    EXPECT_GT(growth(entry, [](Scenario& s) { s.problem.ctx_len = {20000, 30}; }), 5);
    EXPECT_GT(growth(entry, [](Scenario& s) { s.problem.ctx_len.assign(40, 20); }), 3);
    EXPECT_GT(growth(entry, [](Scenario& s) { s.problem.decode_steps = 20; }), 3);
    EXPECT_GT(growth(entry, [](Scenario& s) { s.problem.predicted_tokens_per_seq = 8; }), 1.05);
    EXPECT_GT(growth(entry, [](Scenario& s) { s.problem.num_heads *= 16; }), 1.05);
    EXPECT_GT(growth(entry, [](Scenario& s) { s.problem.kv_lora_rank *= 16; }), 1.5);
    EXPECT_GT(growth(entry, [](Scenario& s) { s.layout.kvp *= 8; }), 1.2);
    EXPECT_GT(growth(entry, [](Scenario& s) { s.layout.tpa *= 4; }), 1.2);
    EXPECT_GT(growth(entry, [](Scenario& s) { s.layout.padding_rows = 64; }), 1.05);
  }
  EXPECT_GT(growth(Entry::layer, [](Scenario& s) { s.problem.hidden_size *= 50; }), 1.5);
  EXPECT_GT(growth(Entry::merge, [](Scenario& s) { s.problem.ctx_len.assign(4000, 1); }), 5);
}

TEST(Cost, OfALayerWithoutTapsIsThatOfManyReferences) {
  const auto hide = [](Scenario& s) { s.run.observe = Observe::end; };
  EXPECT_GT(growth(Entry::layer, hide), 1.5);
  EXPECT_EQ(growth(Entry::core, hide), 1) << "judged by one";
}

TEST(Cost, FollowsTheScriptWhereThereIsOne) {
  Scenario scripted = plain();
  scripted.problem.decode_steps = 3;
  const double by_default = forecast_seconds(scripted);
  scripted.script = expand_script(scripted);
  EXPECT_DOUBLE_EQ(forecast_seconds(scripted), by_default);
  scripted.script.push_back({StepKind::decode, {1}, {4}});
  EXPECT_GT(forecast_seconds(scripted), by_default);
}

TEST(Cost, BudgetsRiseWithTheSize) {
  EXPECT_LT(10 * budget_seconds(Size::small), budget_seconds(Size::medium));
  EXPECT_LT(10 * budget_seconds(Size::medium), budget_seconds(Size::full));
}

// Decides for a medium case, the first choice of all, and leaves the others to a stream.
class Medium : public Choices {
 public:
  explicit Medium(std::uint64_t index) : stream_(9, index) {}
  std::uint64_t below(std::uint64_t limit) override {
    const bool first = !asked_;
    asked_ = true;
    return first ? limit - 1 : stream_.below(limit);
  }

 private:
  CounterChoices stream_;
  bool asked_ = false;
};

TEST(Cost, NoWidthAndContextTogetherNeedTooMuchMemory) {
  for (std::uint64_t index = 0; index < 10000; ++index) {
    Medium choices(index);
    const DrawnScenario drawn = draw_with_levels(choices);
    ASSERT_EQ(drawn.size, Size::medium);
    EXPECT_LT(memory_need_bytes(drawn.scenario), std::int64_t{512} << 20) << "case " << index;
  }
}

// What the series draws in a fifth of a million cases: some 200 medium ones and a few full ones.
TEST(Cost, MostTimeGoesToSmallCasesAndNoneNeedsMuchMemory) {
  constexpr std::uint64_t kCases = 200000, kWeighed = 50000;
  const ScenarioSeries series(4);  // one in which a few are too large at first
  std::array<double, kSizes.size()> seconds{};
  std::array<int, kSizes.size()> cases{};
  for (std::uint64_t index = 0; index < kCases; ++index) {
    const DrawnScenario drawn = series.draw(index);
    const auto size = static_cast<std::size_t>(drawn.size);
    seconds[size] += forecast_seconds(drawn.scenario);
    ++cases[size];
    if (index >= kWeighed && drawn.size == Size::small) continue;
    EXPECT_LT(memory_need_bytes(drawn.scenario), std::int64_t{512} << 20) << "case " << index;
  }
  for (const int count : cases) EXPECT_GT(count, 0);
  const double costly = seconds[2] + seconds[3], all = seconds[0] + seconds[1] + costly;
  EXPECT_LT(costly, all / 5);
  EXPECT_GT(costly, all / 50) << "but they do get time";
  EXPECT_LT(seconds[1], all / 5) << "long contexts";
  EXPECT_LT(seconds[0] / cases[0], 400e-6) << "a small case on average";
}

}  // namespace
}  // namespace helixcheck
