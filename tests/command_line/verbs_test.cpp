// The verbs as a user meets them.

#include <filesystem>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <string>

#include "support/command.hpp"

namespace helixcheck {
namespace {

using Json = nlohmann::json;

const std::string kCommand = HELIXCHECK_COMMAND;
// A layer small enough for milliseconds.
const std::string kSmall =
    " --num-heads 4 --hidden-size 48 --kv-lora-rank 16 --qk-nope-head-dim 8 --qk-rope-head-dim 4"
    " --v-head-dim 12 --batch 2 --ctx-len 9";

TEST(Run, PrintsAVerdictTapByTap) {
  const CommandResult result = run_command(kCommand + " run" + kSmall);
  EXPECT_EQ(result.status, 0) << result.err;
  for (const char* text : {"pass", "cache_rows", "combined_lse", "output", "blindness"}) {
    EXPECT_NE(result.out.find(text), std::string::npos) << text;
  }
}

TEST(Run, JsonHoldsWhatProgramsNeed) {
  const CommandResult result = run_command(kCommand + " run --json" + kSmall);
  ASSERT_EQ(result.status, 0) << result.err;
  const Json json = Json::parse(result.out);
  EXPECT_EQ(json.at("verdict"), "pass");
  EXPECT_LE(json.at("worst").at("ratio").get<double>(), 1.0);
  EXPECT_TRUE(json.at("worst").contains("tap"));
  EXPECT_GT(json.at("seconds").get<double>(), 0);
  EXPECT_EQ(json.at("scenario").at("problem").at("num_heads"), 4);
  bool saw_lse = false;
  for (const Json& tap : json.at("taps")) {
    saw_lse = saw_lse || tap.at("name") == "lse";
    EXPECT_TRUE(tap.contains("worst_ratio") && tap.contains("blindness") &&
                tap.contains("max_abs_error"));
  }
  EXPECT_TRUE(saw_lse);
}

TEST(Run, ReplayLineGivesTheSameBits) {
  const std::string arguments = kSmall +
                                " --kvp 4 --ownership interleaved --decode-owner continued"
                                " --interleave 2 --seed 7 --decode-steps 3";
  const Json first = Json::parse(run_command(kCommand + " run --json" + arguments).out);
  std::string line = first.at("replay");
  line.replace(0, std::string("helixcheck").size(), kCommand);
  const Json second = Json::parse(run_command(line + " --json").out);
  EXPECT_EQ(first.at("output_hash"), second.at("output_hash"));
  EXPECT_EQ(first.at("hash"), second.at("hash"));
}

TEST(Run, VerbosePrintsStatisticsAndDumpWritesTensors) {
  const TemporaryFolder folder;
  const CommandResult result =
      run_command(kCommand + " run -v --dump " + (folder.path() / "taps").string() + kSmall);
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_NE(result.err.find("partial_o"), std::string::npos);
  EXPECT_NE(result.err.find("rms"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "taps" / "step1.safetensors"));
}

TEST(Run, MismatchCriterionIsAnOption) {
  const CommandResult result = run_command(kCommand + " run --verdict mismatch --json" + kSmall);
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(Json::parse(result.out).contains("mismatch"));
}

TEST(Run, MergeEntryNeedsNoRanks) {
  const CommandResult result = run_command(
      kCommand + " run --entry merge --kvp 7 --num-heads 3 --kv-lora-rank 24 --batch 5");
  EXPECT_EQ(result.status, 0) << result.out << result.err;
  EXPECT_NE(result.out.find("combined"), std::string::npos);
}

// A subject from a shared object: right, wrong, and refusing.
TEST(Plugin, OverridesOneStage) {
  const std::string plugin = std::string(" --subject ") + ATTEND_OVERRIDE;
  const CommandResult right = run_command(kCommand + " run --contract unknown" + plugin + kSmall);
  EXPECT_EQ(right.status, 0) << right.out << right.err;
  EXPECT_NE(right.out.find("cpu+attend_override"), std::string::npos);

  const CommandResult wrong =
      run_command("ATTEND_OVERRIDE_FAULT=drops_key " + kCommand + " run --json" + plugin + kSmall);
  EXPECT_EQ(wrong.status, 1) << wrong.err;
  EXPECT_EQ(Json::parse(wrong.out).at("blame").at("stage"), "attend");

  const CommandResult refusing =
      run_command(kCommand + " run --dtype fp16 --kv-cache-dtype fp16" + plugin + kSmall);
  EXPECT_EQ(refusing.status, 2) << "no fault of the subject";
  EXPECT_NE(refusing.err.find("does not take this scenario: attend_override knows bf16 only"),
            std::string::npos)
      << refusing.err;
}

TEST(Replay, TakesFoldersAndSelectsByName) {
  const TemporaryFolder folder;
  const std::string problem = R"("entry":"core","num_heads":4,"kv_lora_rank":16,)";
  for (const char* name : {"one_ctx8", "two_ctx8", "two_ctx16"}) {
    folder.write(std::string(name) + ".json",
                 R"({"schema":1,"problem":{)" + problem + R"("ctx_len":8}})");
  }
  const CommandResult result =
      run_command(kCommand + " replay --json -k two " + folder.path().string());
  ASSERT_EQ(result.status, 0) << result.err;
  const Json json = Json::parse(result.out);
  EXPECT_EQ(json.at("passed"), 2);
  EXPECT_EQ(json.at("runs").at(0).at("name"), "two_ctx8");
}

TEST(Replay, PutsOptionsIntoEveryScenario) {
  const TemporaryFolder folder;
  const std::string problem = R"("entry":"core","num_heads":4,"kv_lora_rank":16,)";
  folder.write("a.json", R"({"schema":1,"problem":{)" + problem + R"("ctx_len":8}})");
  folder.write("b.json", R"({"schema":1,"problem":{)" + problem + R"("ctx_len":9}})");
  const CommandResult result =
      run_command(kCommand + " replay --json --kvp 4 " + folder.path().string());
  ASSERT_EQ(result.status, 0) << result.err;
  const Json json = Json::parse(result.out);
  ASSERT_EQ(json.at("passed"), 2);
  for (const Json& run : json.at("runs")) EXPECT_EQ(run.at("scenario").at("layout").at("kvp"), 4);

  const CommandResult refused = run_command(kCommand + " replay --kvp 3 " + folder.path().string());
  EXPECT_EQ(refused.status, 2);
  EXPECT_NE(refused.err.find("a.json with the options of this command: "), std::string::npos)
      << refused.err;
}

TEST(Replay, OfTheWholeCorpusLeavesOutWhatIsForGpus) {
  const TemporaryFolder folder;
  const std::string small =
      R"("problem":{"entry":"core","num_heads":4,"kv_lora_rank":16,"ctx_len":8}})";
  folder.write("a.json", R"({"schema":1,)" + small);
  folder.write("b.json", R"({"schema":1,"labels":["gpu"],)" + small);
  const std::string command = kCommand + " replay --json --corpus " + folder.path().string();
  EXPECT_EQ(Json::parse(run_command(command).out).at("passed"), 1);
  EXPECT_EQ(Json::parse(run_command(command + " b").out).at("passed"), 1) << "asked for by name";
}

const std::string kSmallBench =
    " bench --json --entry core --kv-lora-rank 16 --qk-rope-head-dim 4 --samples 3 --heads 4";

TEST(Bench, MakesARowOfEachCombination) {
  const CommandResult result = run_command(kCommand + kSmallBench + " --batch 1,2 --ctx-len 9,40");
  ASSERT_EQ(result.status, 0) << result.err;
  const Json json = Json::parse(result.out);
  ASSERT_EQ(json.at("rows").size(), 4u);
  EXPECT_EQ(json.at("header").at("subject"), "cpu");
  for (const Json& row : json.at("rows")) {
    EXPECT_GT(row.at("ttl_us").get<double>(), 0);
    EXPECT_EQ(row.at("#wrong"), 0);
    EXPECT_TRUE(row.at("%roof").is_null()) << "a host has no roofline here";
  }
}

TEST(Bench, PrintsNoTimeOfAWrongSubject) {
  const CommandResult result = run_command("ATTEND_OVERRIDE_FAULT=drops_key " + kCommand +
                                           kSmallBench + " --subject " + ATTEND_OVERRIDE);
  EXPECT_EQ(result.status, 1) << result.err;
  const Json row = Json::parse(result.out).at("rows").at(0);
  EXPECT_GT(row.at("#wrong"), 0);
  for (const char* time : {"attn_us", "a2a_us", "comb_us", "ttl_us", "tok/s"}) {
    EXPECT_TRUE(row.at(time).is_null()) << time;
  }
}

TEST(Bench, RefusesWithOneSentence) {
  for (const auto& [arguments, text] :
       {std::pair{" bench --min-roof 50", "no roofline"},
        {" bench --tpa 2", "at tpa 1"},
        {" bench --shapes all", "there are flashmla, guide"},
        {" bench --shapes guide --heads 8", "--shapes takes no --heads"}}) {
    const CommandResult result = run_command(kCommand + arguments);
    EXPECT_EQ(result.status, 2) << arguments;
    EXPECT_NE(result.err.find(text), std::string::npos) << result.err;
  }
}

TEST(List, ShowsTheCorpusAndTheModels) {
  const CommandResult scenarios =
      run_command(kCommand + " list --corpus " HELIXCHECK_SOURCE_DIR "/corpus --json");
  ASSERT_EQ(scenarios.status, 0) << scenarios.err;
  EXPECT_GE(Json::parse(scenarios.out).at("scenarios").size(), 27u);
  const CommandResult models = run_command(kCommand + " list models");
  EXPECT_NE(models.out.find("kimi-k2"), std::string::npos);
}

TEST(Doctor, SaysWhatIsThere) {
  const CommandResult result = run_command(kCommand + " doctor");
  EXPECT_EQ(result.status, 0) << result.err;
  for (const char* text : {"cores", "memory", "world mpi", "subject cuda", "device", "kernels",
                           "gpu check", "corpus"}) {
    EXPECT_NE(result.out.find(text), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace helixcheck
