// Canonical text, its round trip for random scenarios, and content hashes, which may never change.

#include <gtest/gtest.h>

#include "random_scenario.hpp"
#include "scenario/json.hpp"

namespace helixcheck {
namespace {

TEST(PrintScenario, LeavesDefaultsOut) {
  EXPECT_EQ(print_scenario(Scenario{}), "{\n  \"schema\": 1\n}\n");
}

TEST(PrintScenario, WritesFieldsInTableOrder) {
  Scenario s;
  s.name = "two";
  s.labels = {"slow", "x"};
  s.problem.ctx_len = {5, 7};
  s.problem.num_heads = 6;
  s.problem.rms_norm_eps = 1e-5;
  s.problem.rope_interleave = false;
  s.problem.rope_scaling = RopeScaling{};
  s.problem.rope_scaling->mscale.reset();
  s.problem.rope_scaling->factor = 4;
  s.problem.data.seed = std::uint64_t{1} << 63;
  s.problem.data.heavy = {{HeavyPlace::newest, 3, 1, 0.25}, {HeavyPlace::key_zero, 0, 0, 0.5}};
  s.layout.kvp = 3;
  s.run.verdict = VerdictRule::mismatch;
  s.script = {{StepKind::join, {}, {}}, {StepKind::decode, {0, 1}, {1, 4}}};
  EXPECT_EQ(print_scenario(s), R"({
  "schema": 1,
  "name": "two",
  "labels": ["slow", "x"],
  "problem": {
    "num_heads": 6,
    "rms_norm_eps": 1e-05,
    "rope_interleave": false,
    "rope_scaling": {
      "type": "yarn",
      "factor": 4.0,
      "mscale": null
    },
    "ctx_len": [5, 7],
    "data": {
      "seed": "9223372036854775808",
      "heavy": [
        {"place": "newest", "head": 3, "kvp_rank": 1, "mass": 0.25},
        {"place": "key_zero", "head": 0, "kvp_rank": 0, "mass": 0.5}
      ]
    }
  },
  "layout": {
    "kvp": 3
  },
  "run": {
    "verdict": "mismatch"
  },
  "script": [
    {"do": "join"},
    {"do": "decode", "requests": [0, 1], "tokens": [1, 4]}
  ]
}
)");
}

TEST(PrintScenario, RepeatsOneLengthThroughBatch) {
  Scenario s;
  s.problem.ctx_len.assign(8, 4096);
  EXPECT_EQ(print_scenario(s),
            "{\n  \"schema\": 1,\n  \"problem\": {\n    \"batch\": 8,\n    \"ctx_len\": 4096\n"
            "  }\n}\n");
}

TEST(PrintScenario, IsReadBackForAnyValues) {
  ScenarioDrawer drawer(1);
  for (int i = 0; i < 500; ++i) {
    const Scenario s = drawer.draw();
    const std::string text = print_scenario(s);
    ASSERT_EQ(parse_scenario(text, "drawn"), s) << text;
    ASSERT_EQ(print_scenario(parse_scenario(text, "drawn")), text);
  }
}

TEST(PrintScenario, KeepsEveryBitOfNumbers) {
  for (const double value : {0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, 123456789.0, 1e22}) {
    Scenario s;
    s.run.atol = value;
    EXPECT_EQ(parse_scenario(print_scenario(s), "s").run.atol, value);
  }
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1} << 53,
                                   (std::uint64_t{1} << 53) + 1, ~std::uint64_t{0}}) {
    Scenario s;
    s.problem.data.seed = seed;
    EXPECT_EQ(parse_scenario(print_scenario(s), "s").problem.data.seed, seed);
  }
}

TEST(PrintScenario, FitsTheReaderAtTheLimitsOfValidation) {
  Scenario s;
  s.problem.entry = Entry::core;
  s.problem.num_heads = 1024;
  s.problem.ctx_len.assign(4096, 65535);
  s.problem.ctx_len.back() = 65534;
  for (int head = 0; head < 1024; ++head) {
    s.problem.data.heavy.push_back({HeavyPlace::shard_first, head, 1, 0.1 + 1e-16 * head});
  }
  s.script.assign(10000, {StepKind::finish, {}, {}});
  for (std::size_t i = 0; i < (1 << 15); ++i) s.script[i % 10000].requests.push_back(8191);
  EXPECT_EQ(parse_scenario(print_scenario(s), "large"), s);
}

TEST(PrintScenarioFile, AddsNothingToAPlainScenario) {
  Scenario s;
  s.name = "plain";
  s.problem.ctx_len = {5, 7};
  EXPECT_EQ(print_scenario_file({s, {}, {}}), print_scenario(s));
}

TEST(PrintScenarioFile, WritesWhatBelongsToAFinding) {
  ScenarioFile file;
  file.scenario.problem.ctx_len = {5};
  file.before.resize(2);
  file.before[0].name = "not kept";
  file.before[0].layout.kvp = 4;
  file.provenance.property = "ranks";
  file.provenance.subject = "./a \"b\".so";
  file.provenance.date = "2031-01-02";
  EXPECT_EQ(print_scenario_file(file), R"({
  "schema": 1,
  "problem": {
    "ctx_len": 5
  },
  "before": [
    {
      "layout": {
        "kvp": 4
      }
    },
    {}
  ],
  "provenance": {
    "property": "ranks",
    "subject": "./a \"b\".so",
    "date": "2031-01-02"
  }
}
)");
}

TEST(PrintScenarioFile, IsReadBackForAnyValues) {
  ScenarioDrawer drawer(3);
  for (int i = 0; i < 100; ++i) {
    ScenarioFile file;
    file.scenario = drawer.draw();
    for (int k = 0; k < i % 4; ++k) {
      file.before.push_back(drawer.draw());
      file.before.back().name.clear();
      file.before.back().labels.clear();
    }
    if (i % 3 > 0) file.provenance = {"ranks", "./a\n\\b.so", "0123abcd", "2031-01-02", "r/c/v/-"};
    const std::string text = print_scenario_file(file);
    const ScenarioFile read = parse_scenario_file(text, "drawn");
    ASSERT_EQ(read.scenario, file.scenario) << text;
    ASSERT_EQ(read.before, file.before) << text;
    ASSERT_EQ(read.provenance, file.provenance) << text;
    ASSERT_EQ(print_scenario_file(read), text);
  }
}

TEST(ContentHash, IgnoresNameAndLabelsOnly) {
  Scenario s;
  const std::string hash = content_hash(s);
  EXPECT_EQ(hash.size(), 16u);
  EXPECT_EQ(hash.find_first_not_of("0123456789abcdef"), std::string::npos);
  s.name = "other";
  s.labels = {"slow"};
  EXPECT_EQ(content_hash(s), hash);
  s.layout.row_gap = 1;
  EXPECT_NE(content_hash(s), hash);
}

// Stored findings are found by these values: a change here breaks every store.
TEST(ContentHash, NeverChanges) {
  Scenario s;
  EXPECT_EQ(content_hash(s), "08f44b07b5901a25");
  s.problem.ctx_len.assign(8, 4096);
  s.layout.kvp = 4;
  EXPECT_EQ(content_hash(s), "b8252ad4aab1575b");
}

}  // namespace
}  // namespace helixcheck
