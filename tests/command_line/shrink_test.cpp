// `shrink`, `explain` and `run --property` on a scenario that only the canary fails, and what these
// verbs and `check` refuse.

#include <algorithm>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <string>

#include "support/command.hpp"

namespace helixcheck {
namespace {

using Json = nlohmann::json;

const std::string kCommand = HELIXCHECK_COMMAND;
// Fails on the canary and nowhere else.
const std::string kLosesAKey =
    " --entry core --num-heads 3 --kvp 3 --kv-lora-rank 8 --qk-nope-head-dim 4"
    " --qk-rope-head-dim 4 --ctx-len 6 --kv-cache-tokens-per-block 2 --dtype fp16"
    " --kv-cache-dtype fp16";

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Shrink, SaysThatAPassingScenarioPasses) {
  for (const std::string verb : {" shrink", " explain"}) {
    const CommandResult result = run_command(kCommand + verb + kLosesAKey);
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_TRUE(holds(result.out, "passes: nothing to shrink or to explain")) << result.out;
  }
}

TEST(Shrink, WritesWhatItHasShrunk) {
  const TemporaryFolder folder;
  const std::string output = (folder.path() / "small.json").string();
  const CommandResult result =
      run_command(kCommand + " shrink --subject canary --json --output " + output + kLosesAKey);
  ASSERT_EQ(result.status, 1) << result.err;
  const Json finding = Json::parse(result.out);
  EXPECT_EQ(finding.at("scenario").at("problem").at("kv_lora_rank"), 1);
  EXPECT_EQ(finding.at("locally_minimal"), true);
  const CommandResult again = run_command(kCommand + " replay --subject canary --json " + output);
  EXPECT_EQ(again.status, 1) << again.err;
  EXPECT_EQ(Json::parse(again.out).at("runs").at(0).at("signature"), finding.at("signature"));
  EXPECT_EQ(run_command(kCommand + " replay " + output).status, 0);
}

TEST(Shrink, WorksUnderAProperty) {
  const CommandResult result =
      run_command(kCommand + " shrink --subject canary --property page_size --json" + kLosesAKey);
  ASSERT_EQ(result.status, 1) << result.err;
  EXPECT_EQ(Json::parse(result.out).at("signature").get<std::string>().rfind("page_size/", 0), 0u);
}

TEST(Explain, SaysWhichFieldsMatter) {
  const CommandResult result = run_command(kCommand + " explain --subject canary" + kLosesAKey);
  EXPECT_EQ(result.status, 1) << result.err;
  for (const char* part :
       {"field", "layout.kvp", "fails for: ", "layout.decode_owner", "decode_owner == last"}) {
    EXPECT_TRUE(holds(result.out, part)) << part << "\n" << result.out;
  }
}

TEST(Run, ChecksTheScenarioUnderAProperty) {
  const std::string arguments = " run --property page_size" + kLosesAKey;
  EXPECT_EQ(run_command(kCommand + arguments).status, 0);
  const CommandResult wrong = run_command(kCommand + arguments + " --subject canary");
  EXPECT_EQ(wrong.status, 1) << wrong.err;
  EXPECT_TRUE(holds(wrong.out, "property page_size  FAIL")) << wrong.out;
  EXPECT_TRUE(holds(wrong.out, "--subject canary --property page_size")) << wrong.out;
}

struct Refused {
  std::string arguments, says;
};

TEST(BadSearch, IsRefusedInOneSentence) {
  const TemporaryFolder folder;
  const std::string needs_others =
      folder.write("two.json", R"({"schema":1,"before":[{}],"problem":{"ctx_len":4}})");
  const Refused all[] = {
      {"check --property beauty", "there is no property 'beauty'"},
      {"check --contract sloppy --cases 3", "sloppy"},
      {"check --subject tpu", "tpu"},
      {"check --cases 0", "--cases"},
      {"check --jobs 0", "--jobs"},
      {"check --max-findings 0", "--max-findings"},
      {"check --time 5x", "--time is \"5x\""},
      {"check --time 0", "--time is \"0\""},
      {"check --time -1s", "--time"},
      {"shrink no_such_file.json", "no_such_file.json"},
      {"shrink --property beauty", "there is no property 'beauty'"},
      {"shrink --entry core --property merge_shift", "merge_shift says nothing"},
      {"explain --entry core --property merge_shift", "merge_shift says nothing"},
      {"run --entry core --property merge_shift", "merge_shift says nothing"},
      {"run --property beauty", "there is no property 'beauty'"},
      {"run --property ranks --property poison", "--property"},
      {"shrink --property ranks --property poison", "--property"},
      {"explain --property ranks --property poison", "--property"},
      {"shrink " + needs_others, "fails only after 1 others"},
      {"shrink --kvp 3", "num_heads"}};
  for (const Refused& one : all) {
    const CommandResult result = run_command(kCommand + " " + one.arguments);
    EXPECT_EQ(result.status, 2) << one.arguments << result.err;
    EXPECT_EQ(result.out, "") << one.arguments;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_TRUE(holds(result.err, one.says)) << one.arguments << "\n" << result.err;
  }
}

}  // namespace
}  // namespace helixcheck
