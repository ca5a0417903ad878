// `helixcheck mutants` and `list mutants`, whatever the registry holds.

#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "support/command.hpp"

namespace helixcheck {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const std::string kCommand = HELIXCHECK_COMMAND;

Json first_mutant() {
  const CommandResult result = run_command(kCommand + " list mutants --json");
  EXPECT_EQ(result.status, 0) << result.err;
  return Json::parse(result.out).at("mutants").at(0);
}

TEST(ListMutants, SaysWhatIsWrongAndWhereItHappened) {
  const Json mutant = first_mutant();
  for (const char* key : {"id", "class", "stage", "half", "memory", "source", "what is wrong"}) {
    EXPECT_FALSE(mutant.at(key).get<std::string>().empty()) << key;
  }
}

TEST(ListMutants, ShowsThoseOfDeviceCodeWithoutADevice) {
  const CommandResult result = run_command(kCommand + " list mutants --json");
  const Json listed = Json::parse(result.out);
  std::set<std::string> memories;
  for (const Json& mutant : listed.at("mutants")) memories.insert(mutant.at("memory"));
  EXPECT_EQ(memories, (std::set<std::string>{"cuda", "host"}));
}

TEST(Mutants, OfDeviceCodeNeedADevice) {
  const CommandResult result =
      run_command(kCommand + " mutants --memory cuda --seeds 1 --cases 1 --jobs 1");
  if (result.status <= 1) GTEST_SKIP() << "here is a GPU";
  EXPECT_EQ(result.status, 3);
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  EXPECT_NE(result.err.find("CUDA"), std::string::npos) << result.err;
}

TEST(Mutants, AreFoundByCheckAndKeptApart) {
  const TemporaryFolder folder;
  const CommandResult result =
      run_command(kCommand + " check --subject mutant:merge_equal_weights --seed 1 --cases 50 " +
                  "--max-findings 1 --shrink-evaluations 20 --corpus " + folder.path().string());
  EXPECT_EQ(result.status, 1) << result.err;
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "mutants"));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "regressions"));
}

TEST(Mutants, AreScoredByTheSearch) {
  const std::string id = first_mutant().at("id");
  const TemporaryFolder folder;
  const std::string output = (folder.path() / "found").string();
  const CommandResult result =
      run_command(kCommand + " mutants " + id + " --seeds 2 --cases 400 --json --output " + output);
  ASSERT_LE(result.status, 1) << result.err;
  const Json report = Json::parse(result.out);
  EXPECT_EQ(report.at("total"), 1);
  EXPECT_EQ(report.at("correct").at("cases"), 800);
  EXPECT_TRUE(report.at("correct").at("false_alarms").empty());
  EXPECT_EQ(report.at("halves").at("tuning").at("total").get<int>() +
                report.at("halves").at("held-out").at("total").get<int>(),
            1);
  const Json& mutant = report.at("mutants").at(0);
  EXPECT_EQ(mutant.at("id"), id);
  EXPECT_EQ(mutant.at("cases_to_kill").at("seeds").size(), 2u);
  EXPECT_EQ(mutant.at("killed").get<bool>(), result.status == 0);
  for (const char* key : {"seconds_to_kill", "blame", "blame_right", "shrink_evaluations", "shrunk",
                          "locally_minimal", "as_small"}) {
    EXPECT_TRUE(mutant.contains(key)) << key;
  }
  EXPECT_EQ(fs::exists(output + "/" + id + ".json"), !mutant.at("shrunk").is_null());
}

TEST(Mutants, HaveATableForPeople) {
  const std::string id = first_mutant().at("id");
  const CommandResult result =
      run_command(kCommand + " mutants " + id + " --seeds 1 --cases 200 --jobs 1");
  ASSERT_LE(result.status, 1) << result.err;
  EXPECT_EQ(result.err, "");
  for (const char* text : {id.c_str(), "all: ", "tuning: ", "held-out: ", "0 false alarms"}) {
    EXPECT_NE(result.out.find(text), std::string::npos) << text << "\n" << result.out;
  }
}

}  // namespace
}  // namespace helixcheck
