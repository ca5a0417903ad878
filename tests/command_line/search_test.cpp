// `check`, and `replay` of what it stores, on the canary: a subject with a known fault.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "support/command.hpp"

namespace helixcheck {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const std::string kCommand = HELIXCHECK_COMMAND;

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Without what the clock and the folder decide.
Json without_times(Json report) {
  for (const char* name : {"seconds", "total_seconds", "cases_per_second"}) report.erase(name);
  for (Json& finding : report.at("findings")) finding.erase("file");
  return report;
}

class Search : public testing::Test {
 protected:
  CommandResult check(const std::string& arguments) const {
    return run_command(kCommand + " check --corpus " + corpus() + " " + arguments);
  }
  std::string corpus() const { return (folder_.path() / "corpus").string(); }
  std::vector<std::string> stored() const {
    std::vector<std::string> files;
    if (!fs::exists(corpus())) return files;
    for (const fs::directory_entry& entry : fs::directory_iterator(corpus() + "/regressions")) {
      files.push_back(entry.path().string());
    }
    return files;
  }
  CommandResult replay(const std::string& arguments) const {
    return run_command(kCommand + " replay " + arguments);
  }
  TemporaryFolder folder_;
};

TEST_F(Search, FindsShrinksAndStoresTheCanary) {
  const CommandResult result = check("--subject canary --cases 2000 --seed 1 --json");
  ASSERT_EQ(result.status, 1) << result.err;
  const Json report = Json::parse(result.out);
  EXPECT_GT(report.at("cases").get<int>(), 0);
  EXPECT_GT(report.at("seconds").get<double>(), 0);
  EXPECT_GT(report.at("cases_per_second").get<double>(), 0);
  EXPECT_GE(report.at("subject_runs").get<int>(), report.at("cases").get<int>());
  EXPECT_TRUE(report.contains("worst_ratio"));
  EXPECT_EQ(report.at("interrupted"), false);
  const Json minimum = Json::parse(R"({
    "schema": 1,
    "problem": {"entry": "core", "num_heads": 3, "kv_lora_rank": 1, "qk_nope_head_dim": 1,
                "qk_rope_head_dim": 2, "dtype": "fp16", "kv_cache_dtype": "fp16", "ctx_len": 0},
    "layout": {"kvp": 3, "kv_cache_tokens_per_block": 2}})");
  bool found = false;
  for (const Json& finding : report.at("findings")) {
    EXPECT_TRUE(finding.at("locally_minimal").get<bool>());
    EXPECT_GT(finding.at("shrink_evaluations").get<int>(), 0);
    EXPECT_TRUE(finding.at("before").empty());
    EXPECT_TRUE(fs::exists(finding.at("file").get<std::string>()));
    EXPECT_FALSE(finding.at("blame").at("sentence").get<std::string>().empty());
    if (finding.at("signature") != "equivalence/cpu+canary/value/attend") continue;
    found = true;
    EXPECT_EQ(finding.at("scenario"), minimum);
    EXPECT_EQ(finding.at("blame").at("stage"), "attend");
  }
  EXPECT_TRUE(found);
  EXPECT_EQ(stored().size(), report.at("findings").size());
}

// Whatever property a finding broke, its file fails under it, and on the faulty subject only.
TEST_F(Search, StoredFindingsAreReplayed) {
  for (const std::string names : {"equivalence", "page_size --property ranks"}) {
    const CommandResult found = check("--subject canary --cases 1500 --property " + names);
    ASSERT_EQ(found.status, 1) << found.err;
  }
  std::set<std::string> properties;
  for (const std::string& file : stored()) {
    const Json provenance = Json::parse(std::ifstream(file)).at("provenance");
    EXPECT_EQ(provenance.at("subject"), "canary");
    EXPECT_EQ(provenance.at("date").get<std::string>().size(), 10u);
    const CommandResult wrong = replay(file + " --subject canary --json");
    ASSERT_EQ(wrong.status, 1) << file << wrong.err;
    const Json run = Json::parse(wrong.out).at("runs").at(0);
    EXPECT_EQ(run.at("property"), provenance.at("property"));
    EXPECT_EQ(run.at("signature"), provenance.at("signature"));
    const CommandResult right = replay(file);
    EXPECT_EQ(right.status, 0) << file << right.out;
    std::string line = run.at("replay");
    line.replace(0, std::string("helixcheck").size(), kCommand);
    EXPECT_EQ(run_command(line).status, 1) << line;
    properties.insert(provenance.at("property").get<std::string>());
  }
  EXPECT_EQ(properties, (std::set<std::string>{"equivalence", "page_size", "ranks"}));
}

TEST_F(Search, DoesNotDependOnTheNumberOfJobs) {
  const std::string arguments =
      "--subject canary --property page_size --property ranks --cases 1500 --max-findings 2"
      " --no-store --json --jobs ";
  const Json one = Json::parse(check(arguments + "1").out);
  const Json two = Json::parse(check(arguments + "2").out);
  EXPECT_EQ(one.at("findings").size(), 2u);
  EXPECT_LT(one.at("cases").get<int>(), 1500) << "ended by its findings";
  EXPECT_EQ(without_times(one), without_times(two));
  EXPECT_TRUE(stored().empty()) << "--no-store";
}

TEST_F(Search, CountsTheCasesOfAWindow) {
  const auto cases = [this](const std::string& window) {
    const Json report = Json::parse(check("--json " + window).out);
    return report.at("properties");
  };
  const Json whole = cases("--cases 60"), first = cases("--cases 20"),
             rest = cases("--first 20 --cases 40");
  int sum = 0;
  for (const auto& [property, count] : whole.items()) {
    EXPECT_EQ(count, first.value(property, 0) + rest.value(property, 0)) << property;
    sum += count.get<int>();
  }
  EXPECT_EQ(sum, 60);
}

// The plug-in takes bf16 and natural logarithms only: about half of what is drawn.
TEST_F(Search, PassesOverAsMuchAsIsAllowed) {
  const std::string plugin = std::string("--cases 200 --subject ") + ATTEND_OVERRIDE;
  EXPECT_EQ(check(plugin).status, 0);
  const CommandResult little = check(plugin + " --min-judged 0.9");
  EXPECT_EQ(little.status, 2);
  EXPECT_TRUE(holds(little.err, "of 200 cases could be judged")) << little.err;
  EXPECT_TRUE(holds(little.out, "cases were not judged")) << "the report comes first";
  EXPECT_EQ(check("--cases 200 --min-judged 1").status, 0) << "the CPU subject takes all";
}

// About 2 in 100 are taken: by default that proves too little, unless a property was chosen. What
// was found is found all the same.
TEST_F(Search, ProvesTooLittleWhereNearlyNothingIsTaken) {
  const auto check_picky = [this](const std::string& mode, const std::string& more) {
    return run_command("HELIXCHECK_MISBEHAVE=" + mode + " " + kCommand + " check --corpus " +
                       corpus() + " --cases 300 --no-store --subject " + MISBEHAVING_SUBJECT +
                       more);
  };
  const CommandResult little = check_picky("picky", "");
  EXPECT_EQ(little.status, 2) << little.out;
  EXPECT_TRUE(holds(little.err, "less than the share of 0.1 ")) << little.err;
  EXPECT_EQ(check_picky("picky", " --min-judged 0").status, 0);
  EXPECT_EQ(check_picky("picky", " --property equivalence").status, 0);
  EXPECT_EQ(check_picky("picky", " --property equivalence --min-judged 0.5").status, 2);
  EXPECT_EQ(check_picky("picky_wrong", "").status, 1);
}

TEST_F(Search, PrintsWhatItCannotStore) {
  const std::string plain = folder_.write("plain", "");
  const CommandResult result = run_command(kCommand + " check --subject canary --cases 100" +
                                           " --property equivalence --corpus " + plain + "/corpus");
  EXPECT_EQ(result.status, 1) << result.err;
  for (const char* part :
       {"NOT stored", "/plain/corpus", "\"kv_lora_rank\": 1", "\"provenance\"", "Scenario s;",
        "replay: helixcheck run --entry core", "--subject canary", "locally minimal"}) {
    EXPECT_TRUE(holds(result.out, part)) << part << "\n" << result.out;
  }
}

TEST_F(Search, RunsTheOtherFilesBesideADamagedOne) {
  const std::string core = R"("problem":{"entry":"core","num_heads":2,"ctx_len":4})";
  folder_.write("good.json", "{\"schema\":1," + core + "}");
  folder_.write("bad.json", "{\"schema\":1," + core);
  folder_.write("worse.json", R"({"schema":1,"before":[{"layout":{"kvp":0}}]})");
  const CommandResult some = replay(folder_.path().string());
  EXPECT_EQ(some.status, 2);
  EXPECT_TRUE(holds(some.err, "bad.json") && holds(some.err, "worse.json")) << some.err;
  EXPECT_TRUE(holds(some.err, "before[0]")) << some.err;
  EXPECT_EQ(std::count(some.err.begin(), some.err.end(), '\n'), 2) << some.err;
  EXPECT_TRUE(holds(some.out, "good") && holds(some.out, "1 passed, 0 failed")) << some.out;
  fs::remove(folder_.path() / "good.json");
  const CommandResult none = replay(folder_.path().string());
  EXPECT_EQ(none.status, 2);
  EXPECT_EQ(none.out, "");
  EXPECT_TRUE(holds(none.err, "bad.json") && holds(none.err, "worse.json")) << none.err;
}

// What comes before may hide too much to be judged: it is there to run.
TEST_F(Search, RunsWhatComesBeforeWithoutJudgingIt) {
  const std::string tiny = R"({"schema":1,"problem":{"entry":"core","num_heads":2,"ctx_len":4})";
  const std::string unjudged =
      R"({"problem":{"hidden_size":16,"num_heads":2,"kv_lora_rank":32,"qk_nope_head_dim":8,)"
      R"("qk_rope_head_dim":4,"v_head_dim":8,"ctx_len":400000,"prompt":"given"},)"
      R"("run":{"observe":"end"}})";
  const CommandResult result =
      replay(folder_.write("after.json", tiny + ",\"before\":[" + unjudged + "]}"));
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(replay(folder_.write("alone.json", "{\"schema\":1," + unjudged.substr(1))).status, 2);
}

// In the background shells ignore SIGINT for their children: the command takes it up again.
TEST_F(Search, EndsInOrderWhenItIsInterrupted) {
  const CommandResult result =
      check("--time 600 --json & child=$!; sleep 1; kill -INT $child; wait $child");
  EXPECT_EQ(result.status, 130) << result.err;
  const Json report = Json::parse(result.out);
  EXPECT_EQ(report.at("interrupted"), true);
  EXPECT_GT(report.at("cases").get<int>(), 0);
}

// Nor is the share of an interrupted one held against it.
TEST_F(Search, ProvesNeitherTooMuchNorTooLittleWhenItIsInterrupted) {
  const CommandResult result =
      run_command("HELIXCHECK_MISBEHAVE=picky " + kCommand + " check --corpus " + corpus() +
                  " --time 600 --no-store --subject " + MISBEHAVING_SUBJECT +
                  " & child=$!; sleep 1; kill -INT $child; wait $child");
  EXPECT_EQ(result.status, 130) << result.err;
}

TEST_F(Search, KeepsItsFindingsWhenItIsInterrupted) {
  const CommandResult result = check(
      "--time 600 --max-findings 1000 --subject canary --property equivalence --json & child=$!;"
      " until ls " +
      corpus() +
      "/regressions/*.json; do sleep 0.1; kill -0 $child || break; done >/dev/null 2>&1;"
      " kill -INT $child; wait $child");
  EXPECT_EQ(result.status, 1) << result.err;
  const Json report = Json::parse(result.out);
  EXPECT_EQ(report.at("interrupted"), true);
  EXPECT_FALSE(report.at("findings").empty());
  EXPECT_EQ(stored().size(), report.at("findings").size());
}

}  // namespace
}  // namespace helixcheck
