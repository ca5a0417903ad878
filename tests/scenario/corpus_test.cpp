// The scenario files that come with the project: all load, all are canonical, and each folder holds
// what it promises.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <numeric>
#include <set>
#include <sstream>

#include "scenario/json.hpp"
#include "scenario/names.hpp"

namespace helixcheck {
namespace {

std::vector<Scenario> load_folder(const std::string& folder) {
  std::vector<Scenario> scenarios;
  for (const auto& entry :
       std::filesystem::directory_iterator(HELIXCHECK_SOURCE_DIR "/corpus/" + folder)) {
    Scenario scenario = load_scenario(entry.path());
    EXPECT_EQ(scenario.name, short_name(scenario));
    EXPECT_EQ(scenario.labels.at(0), folder);

    scenario.name.clear();  // it came from the file's name
    std::stringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    EXPECT_EQ(text.str(), print_scenario(scenario)) << entry.path();
    scenarios.push_back(std::move(scenario));
  }
  return scenarios;
}

using Sizes = std::set<std::pair<std::int64_t, std::int64_t>>;  // batch, longest

Sizes sizes_of(const std::vector<Scenario>& scenarios) {
  Sizes sizes;
  for (const Scenario& s : scenarios) {
    const auto& lengths = s.problem.ctx_len;
    sizes.emplace(s.problem.batch(), *std::max_element(lengths.begin(), lengths.end()));
  }
  return sizes;
}

TEST(Corpus, QuickstartHoldsTheGuidesScenarios) {
  EXPECT_EQ(sizes_of(load_folder("quickstart")),
            (Sizes{{1, 64}, {1, 4096}, {1, 32768}, {8, 4096}, {8, 16384}}));
}

TEST(Corpus, Fixed8HoldsTheFixedTestsScenarios) {
  EXPECT_EQ(sizes_of(load_folder("fixed8")), (Sizes{{1, 64},
                                                    {1, 512},
                                                    {1, 4096},
                                                    {1, 32768},
                                                    {8, 2048},
                                                    {8, 16384},
                                                    {16, 4096},
                                                    {16, 8192}}));
}

TEST(Corpus, Fixed28HoldsAllOfTheFixedTestsListAndIsForGpus) {
  const std::vector<Scenario> all = load_folder("fixed28");
  Sizes wanted;
  for (std::int64_t length = 64; length <= 1048576; length *= 2) {
    if (length != 128 && length != 256) wanted.emplace(1, length);
    if (length >= 1024 && length <= 131072) wanted.emplace(8, length);
    if (length >= 1024 && length <= 65536) wanted.emplace(16, length);
  }
  EXPECT_EQ(wanted.size(), 28u);
  EXPECT_EQ(sizes_of(all), wanted);
  for (const Scenario& s : all) {
    EXPECT_EQ(s.labels, (std::vector<std::string>{"fixed28", "gpu", "slow"})) << s.name;
    EXPECT_EQ(s.layout, Layout{}) << s.name;
  }
}

TEST(Corpus, ExtendedFillsTheGrid) {
  const std::vector<Scenario> extended = load_folder("extended");
  EXPECT_EQ(extended.size(), 14u);
  Sizes all = sizes_of(extended);
  EXPECT_EQ(all.size(), 14u);
  for (const std::int64_t batch : {1, 8, 16}) {
    EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](auto s) { return s.first == batch; }));
  }
  all.merge(sizes_of(load_folder("quickstart")));
  all.merge(sizes_of(load_folder("fixed8")));
  for (std::int64_t length = 64; length <= 131072; length *= 2) {
    const bool found =
        std::any_of(all.begin(), all.end(), [&](auto s) { return s.second == length; });
    EXPECT_TRUE(found || length == 128 || length == 256) << length;
  }
}

TEST(Corpus, ExtendedHasEveryFeature) {
  const std::vector<Scenario> extended = load_folder("extended");
  const auto some = [&](auto&& has) { return std::any_of(extended.begin(), extended.end(), has); };
  const auto page_runs = [](const Scenario& s) {
    return s.layout.ownership == Ownership::interleaved &&
           s.layout.interleave == s.layout.kv_cache_tokens_per_block;
  };
  EXPECT_TRUE(some(page_runs));
  EXPECT_TRUE(some([](const Scenario& s) {
    return s.layout.ownership == Ownership::interleaved && s.layout.interleave == 1;
  }));
  EXPECT_TRUE(some([](const Scenario& s) { return s.layout.kvp == 4; }));
  EXPECT_TRUE(some([](const Scenario& s) { return s.layout.tpa == 2; }));
  EXPECT_TRUE(some([](const Scenario& s) { return s.problem.rope_scaling.has_value(); }));
  EXPECT_TRUE(some([](const Scenario& s) { return s.problem.q_lora_rank == 1536; }));
  EXPECT_TRUE(
      some([](const Scenario& s) { return s.problem.ctx_len[0] != s.problem.ctx_len.back(); }));
  EXPECT_TRUE(some([](const Scenario& s) { return s.problem.dtype == Dtype::fp16; }));
  EXPECT_TRUE(some([](const Scenario& s) { return s.problem.kv_cache_dtype == Dtype::fp8_e4m3; }));
  EXPECT_TRUE(some([](const Scenario& s) { return s.problem.predicted_tokens_per_seq == 4; }));
  EXPECT_TRUE(some([](const Scenario& s) { return !s.problem.rope_interleave; }));
}

// A prompt token costs about 6 MFLOP at hidden size 2560, in the subject and in the judge together:
// 17,000 tokens are 100 GFLOP.
TEST(Corpus, SlowOnesAreLabelled) {
  for (const Scenario& s : load_folder("extended")) {
    const auto& lengths = s.problem.ctx_len;
    const auto tokens = std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
    const bool slow = std::count(s.labels.begin(), s.labels.end(), "slow") != 0;
    EXPECT_EQ(slow, tokens > 17000) << s.name;
  }
}

TEST(Corpus, HasNoTwoEqualScenariosInAFolder) {
  for (const std::string folder : {"quickstart", "fixed8", "fixed28", "extended"}) {
    std::set<std::string> hashes;
    for (const Scenario& s : load_folder(folder)) {
      EXPECT_TRUE(hashes.insert(content_hash(s)).second) << s.name;
    }
  }
}

}  // namespace
}  // namespace helixcheck
