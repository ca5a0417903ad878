// The table of features: its shape, and that what it draws varies every field of a scenario, hits
// the boundaries of ownership and pages, and makes histories of every kind.

#include "generate/features.hpp"

#include <algorithm>
#include <bit>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <string>

#include "generate/scenario_draw.hpp"
#include "scenario/fields.hpp"
#include "scenario/ownership.hpp"
#include "scenario/script.hpp"
#include "scenario/value_text.hpp"

namespace helixcheck {
namespace {

constexpr std::uint64_t kCases = 30000;

TEST(Features, HaveNamesOfTheirOwnAndLevelsThatCanBeDrawn) {
  std::set<std::string> names, levels;
  for (const Feature& feature : features()) {
    EXPECT_TRUE(names.emplace(feature.name).second) << feature.name;
    EXPECT_GE(feature.levels.size(), 2u) << feature.name;
    EXPECT_TRUE(feature.at_merge || feature.at_core || feature.at_layer) << feature.name;
    for (const Level& level : feature.levels) {
      EXPECT_GE(level.weight, 1) << feature.name << ' ' << level.name;
      EXPECT_NE(level.apply, nullptr);
    }
  }
  EXPECT_EQ(features()[0].name, "entry");
  for (std::size_t i = 0; i < level_count(); ++i) EXPECT_TRUE(levels.insert(level_text(i)).second);
}

TEST(Features, NumberTheirLevelsInOneRow) {
  std::size_t level = 0;
  for (std::size_t f = 0; f < features().size(); ++f) {
    EXPECT_EQ(first_level(f), level);
    for (std::size_t l = 0; l < features()[f].levels.size(); ++l, ++level) {
      EXPECT_EQ(feature_of(level), f);
    }
  }
  EXPECT_EQ(level_count(), level);
  EXPECT_EQ(level_text(0), "entry core");
  const LevelChoice context = long_context();
  EXPECT_EQ(level_text(first_level(context.feature) + context.level), "ctx_len one above 256");
}

TEST(Features, LargerCasesHaveTheWidthsOfModels) {
  const LevelChoice context = long_context();
  Selection selection(features().size(), 0);
  selection[context.feature] = static_cast<std::uint8_t>(context.level);
  for (std::uint64_t index = 0; index < 40; ++index) {
    CounterChoices choices(1, index);
    const Problem small = realise(selection, choices, Size::small).problem;
    const Problem medium = realise(selection, choices, Size::medium).problem;
    EXPECT_LE(small.kv_lora_rank, 96);
    EXPECT_GE(medium.kv_lora_rank, 128);
    for (const Problem& problem : {small, medium}) {
      EXPECT_GE(*std::max_element(problem.ctx_len.begin(), problem.ctx_len.end()), 257);
    }
  }
}

// Every value that a field ever had, by its path.
class Collector {
 public:
  void add(const Scenario& scenario) {
    block("problem", scenario.problem);
    block("layout", scenario.layout);
    block("run", scenario.run);
  }
  template <Scalar T>
  void operator()(const Field& field, const T& value) {
    note(field, to_text(value));
  }
  void operator()(const Field& field, const std::vector<std::int64_t>& lengths) {
    note(field, join(lengths, ","));
  }
  void operator()(const Field& field, const std::optional<RopeScaling>& scaling) {
    note(field, scaling ? "yarn" : "none");
    if (scaling) block("rope_scaling", *scaling);
  }
  void operator()(const Field& field, const std::vector<HeavyKey>& keys) {
    note(field, to_text(keys.size()));
    for (const HeavyKey& key : keys) block("heavy", key);
  }
  void operator()(const Field&, const Data& data) { block("data", data); }

  std::map<std::string, std::set<std::string>> values;  // at most kEnough a field

 private:
  static constexpr std::size_t kEnough = 40;

  template <typename Block>
  void block(const std::string& name, const Block& fields) {
    const std::string outer = block_;
    block_ = name;
    visit_fields(*this, fields);
    block_ = outer;
  }
  void note(const Field& field, std::string value) {
    std::set<std::string>& known = values[block_ + '.' + std::string(field.name)];
    if (known.size() < kEnough) known.insert(std::move(value));
  }

  std::string block_;
};

TEST(Features, VaryEveryFieldOfAScenario) {
  // A series for one process without files leaves these alone; what judges is no part of a case.
  const std::set<std::string> left_alone{
      "run.world",   "run.transport", "run.skew_us",  // need several processes
      "run.launch",                                   // of devices; a property varies it
      "run.verdict", "run.atol",      "run.rtol",    "run.max_mismatch_ratio",  // judge
      "data.tensors"};                                                          // needs a file
  Collector collector;
  const ScenarioSeries series(1);
  for (std::uint64_t index = 0; index < kCases; ++index) collector.add(series.draw(index).scenario);
  std::size_t exempt = 0;
  for (const auto& entry : collector.values) {
    const bool left = left_alone.count(entry.first) != 0;
    exempt += left ? 1 : 0;
    if (left) {
      EXPECT_EQ(entry.second.size(), 1u) << entry.first << " is drawn after all";
    } else {
      EXPECT_GE(entry.second.size(), 2u) << entry.first << " is always " << *entry.second.begin();
    }
  }
  EXPECT_EQ(exempt, left_alone.size());
  EXPECT_GE(collector.values.size(), 50u);
}

// Counts how often each thing was seen, and fails for those that never were.
class Sightings {
 public:
  explicit Sightings(std::initializer_list<std::string> wanted) {
    for (const std::string& what : wanted) counts_[what] = 0;
  }
  void see(const std::string& what, bool seen) {
    if (seen) ++counts_.at(what);
  }
  void expect_all(int least) const {
    for (const auto& entry : counts_) EXPECT_GE(entry.second, least) << entry.first;
  }

 private:
  std::map<std::string, int> counts_;
};

void look_at_edges(const Scenario& s, Sightings& seen) {
  const std::int64_t page = s.layout.kv_cache_tokens_per_block, kvp = s.layout.kvp;
  seen.see("kvp 3", kvp == 3);
  seen.see("kvp 5", kvp == 5);
  seen.see("kvp 1", kvp == 1);
  seen.see("heads no power of two",
           !std::has_single_bit(static_cast<std::uint64_t>(s.problem.num_heads)));
  for (const std::int64_t ctx : s.problem.ctx_len) {
    seen.see("ctx 0", ctx == 0);
    seen.see("ctx 1", ctx == 1);
    seen.see("ctx ranks - 1", kvp > 2 && ctx == kvp - 1);
    seen.see("ctx ranks", kvp > 1 && ctx == kvp);
    seen.see("ctx page - 1", page > 2 && ctx == page - 1);
    seen.see("ctx page", page > 2 && ctx == page);
    seen.see("ctx page + 1", page > 2 && ctx == page + 1);
    seen.see("ctx page * kvp - 1", page > 2 && kvp > 1 && ctx == page * kvp - 1);
    seen.see("ctx page * kvp", page > 2 && kvp > 1 && ctx == page * kvp);
    seen.see("ctx page * kvp + 1", page > 2 && kvp > 1 && ctx == page * kvp + 1);
    bool empty = false;
    for (std::int64_t rank = 0; rank < kvp; ++rank) {
      empty = empty || owned_count(s.layout, rank, ctx, ctx) == 0;
    }
    seen.see("empty shard", ctx > 0 && empty);
  }
}

TEST(Features, HitTheBoundaries) {
  Sightings seen{"kvp 1",          "kvp 3",
                 "kvp 5",          "heads no power of two",
                 "ctx 0",          "ctx 1",
                 "ctx ranks - 1",  "ctx ranks",
                 "ctx page - 1",   "ctx page",
                 "ctx page + 1",   "ctx page * kvp - 1",
                 "ctx page * kvp", "ctx page * kvp + 1",
                 "empty shard"};
  const ScenarioSeries series(2);
  for (std::uint64_t index = 0; index < kCases; ++index) {
    const Scenario scenario = series.draw(index).scenario;
    if (scenario.problem.entry != Entry::merge) look_at_edges(scenario, seen);
  }
  seen.expect_all(50);
}

void look_at_history(const Scenario& s, Sightings& seen) {
  Roster roster(s.problem);
  std::set<std::int64_t> forks;
  bool finished = false;
  for (const Step& written : s.script) {
    const Step step = roster.written_out(written);
    const auto kind = std::string(name_of(step.kind));
    seen.see(kind, true);
    if (step.kind != StepKind::fork) seen.see(kind + " without a list", written.requests.empty());
    seen.see("join after a finish", step.kind == StepKind::join && finished);
    seen.see("fork of a fork", step.kind == StepKind::fork && forks.count(step.requests[0]) != 0);
    if (step.kind == StepKind::fork) forks.insert(std::ssize(roster.requests()));
    for (std::size_t i = 0; i < step.requests.size(); ++i) {
      const Roster::Request& r = roster.requests()[static_cast<std::size_t>(step.requests[i])];
      const std::int64_t generated = r.tokens - r.prompt_len;
      seen.see("decode of 0 tokens", step.kind == StepKind::decode && step.tokens[i] == 0);
      if (step.kind != StepKind::reject) continue;
      seen.see("reject of all", step.tokens[i] == generated && generated > 0);
      seen.see("reject of some", step.tokens[i] < generated);
    }
    finished = finished || step.kind == StepKind::finish;
    roster.apply(step);
  }
}

TEST(Features, MakeHistoriesOfEveryKind) {
  Sightings seen{"join", "decode", "reject", "finish", "fork", "join without a list",
                 "decode without a list", "join after a finish", "fork of a fork",
                 "decode of 0 tokens", "reject of all", "reject of some",
                 // Finishing or rejecting all that are live is written out or not.
                 "finish without a list", "reject without a list"};
  const ScenarioSeries series(3);
  for (std::uint64_t index = 0; index < kCases; ++index) {
    look_at_history(series.draw(index).scenario, seen);
  }
  seen.expect_all(20);
}

}  // namespace
}  // namespace helixcheck
