// The command with real Open MPI ranks.

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <string>
#include <unistd.h>

#include "support/command.hpp"

namespace helixcheck {
namespace {

using Json = nlohmann::json;

const std::string kCommand = HELIXCHECK_COMMAND;
const std::string kSmall =
    " --num-heads 4 --hidden-size 48 --kv-lora-rank 16 --qk-nope-head-dim 8 --qk-rope-head-dim 4"
    " --v-head-dim 12 --ctx-len 9,0,4 --decode-steps 3";

bool has_mpi() {
  return run_command(kCommand + " doctor").out.find("Open MPI") != std::string::npos &&
         run_command("mpirun --version").status == 0;
}

std::string mpirun(int ranks) {
  const std::string root = geteuid() == 0 ? " --allow-run-as-root" : "";
  return "mpirun --oversubscribe" + root + " -n " + std::to_string(ranks) + " ";
}

class Mpi : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_mpi()) GTEST_SKIP() << "no Open MPI on this machine";
  }
};

TEST_F(Mpi, GivesTheBitsOfSim) {
  for (const std::string layout : {" --kvp 2", " --kvp 2 --tpa 2", " --kvp 1 --tpa 2"}) {
    const Json sim = Json::parse(run_command(kCommand + " run --json" + kSmall + layout).out);
    const CommandResult launched =
        run_command(kCommand + " run --json --world mpi" + kSmall + layout);
    ASSERT_EQ(launched.status, 0) << launched.err;
    const Json mpi = Json::parse(launched.out);
    EXPECT_EQ(mpi.at("verdict"), "pass");
    EXPECT_EQ(sim.at("output_hash"), mpi.at("output_hash"));
    for (std::size_t i = 0; i < sim.at("taps").size(); ++i) {
      EXPECT_EQ(sim.at("taps").at(i), mpi.at("taps").at(i));
    }
  }
}

TEST_F(Mpi, UsesTheJobItIsStartedIn) {
  const CommandResult result = run_command(mpirun(2) + kCommand + " run --json" + kSmall);
  ASSERT_EQ(result.status, 0) << result.err;
  const Json json = Json::parse(result.out);  // one document: only the root prints
  EXPECT_EQ(json.at("scenario").at("run").at("world"), "mpi");
}

TEST_F(Mpi, TooFewRanksAreAMissingResource) {
  const CommandResult result = run_command(mpirun(1) + kCommand + " run --kvp 4" + kSmall);
  EXPECT_EQ(result.status, 3) << result.err;
  EXPECT_NE(result.err.find("4"), std::string::npos);
  EXPECT_EQ(result.out, "");
}

TEST_F(Mpi, BadInputIsSaidOnce) {
  const CommandResult result = run_command(mpirun(2) + kCommand + " run --kvp 3" + kSmall);
  EXPECT_EQ(result.status, 2) << result.err;
  const std::size_t first = result.err.find("num_heads");
  ASSERT_NE(first, std::string::npos) << result.err;
  EXPECT_EQ(result.err.find("num_heads", first + 1), std::string::npos) << result.err;
}

// A rank that is killed or hangs inside the code under test ends the run with its name, soon.
TEST_F(Mpi, DeadAndHungRanksAreNamed) {
  const std::string arguments =
      " run --world mpi --hang-limit 2 --subject " ATTEND_OVERRIDE + kSmall;
  for (const std::string fault : {"dies", "hangs"}) {
    const CommandResult result =
        run_command("ATTEND_OVERRIDE_FAULT=" + fault + " timeout 30 " + kCommand + arguments);
    EXPECT_EQ(result.status, 1) << fault << "\n" << result.err;
    for (const char* text : {"rank 1", "host", "attend"}) {
      EXPECT_NE(result.err.find(text), std::string::npos) << fault << "\n" << result.err;
    }
  }
}

TEST_F(Mpi, ReplaysWorldsOfSeveralSizesInOneLaunch) {
  const TemporaryFolder folder;
  const std::string problem = R"({"schema":1,"problem":{"entry":"core","num_heads":4,)"
                              R"("kv_lora_rank":16,"ctx_len":8},"layout":{"kvp":)";
  for (const int kvp : {1, 2, 4}) {
    folder.write("kvp" + std::to_string(kvp) + ".json", problem + std::to_string(kvp) + "}}");
  }
  const CommandResult result =
      run_command(kCommand + " replay --json --world mpi " + folder.path().string());
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(Json::parse(result.out).at("passed"), 3);
}

TEST_F(Mpi, ChecksManyCasesInOneJob) {
  const CommandResult result =
      run_command(kCommand + " check --world mpi --ranks 2 --cases 200 --no-store --json");
  ASSERT_EQ(result.status, 0) << result.err << result.out;
  const Json report = Json::parse(result.out);
  EXPECT_EQ(report.at("cases"), 200);
  EXPECT_EQ(report.at("unjudged"), 0);
  EXPECT_EQ(report.at("properties"), Json({{"equivalence", 200}}));
  EXPECT_GT(report.at("worst_ratios").size(), 5u);
}

TEST_F(Mpi, WrongValuesAreFoundAndShrunkInRanks) {
  const CommandResult result =
      run_command(kCommand +
                  " check --world mpi --ranks 3 --cases 400 --subject canary --max-findings 1"
                  " --no-store --json");
  ASSERT_EQ(result.status, 1) << result.err << result.out;
  const Json finding = Json::parse(result.out).at("findings").at(0);
  EXPECT_EQ(finding.at("signature"), "equivalence/cpu+canary/value/attend");
  EXPECT_TRUE(finding.at("locally_minimal").get<bool>());
  EXPECT_EQ(finding.at("scenario").at("layout").at("kvp"), 3);
  EXPECT_EQ(finding.at("scenario").at("run").at("world"), "mpi");
}

// The job that dies of a case takes no other case with it.
TEST_F(Mpi, RanksThatDieOrHangAreFindingsOfTheirScenario) {
  for (const auto& [fault, kind] : {std::pair("dies", "crash"), std::pair("hangs", "hang")}) {
    const CommandResult result = run_command(
        std::string("ATTEND_OVERRIDE_FAULT=") + fault + " " + kCommand +
        " check --world mpi --ranks 2 --cases 5 --shrink-evaluations 0 --hang-limit 1 --no-store"
        " --json --subject " ATTEND_OVERRIDE);
    ASSERT_EQ(result.status, 1) << result.err << result.out;
    const Json report = Json::parse(result.out);
    EXPECT_EQ(report.at("cases").get<int>() + report.at("unjudged").get<int>(), 5);
    ASSERT_EQ(report.at("findings").size(), 1u);
    const Json& finding = report.at("findings").at(0);
    EXPECT_EQ(finding.at("signature"),
              std::string("equivalence/cpu+attend_override/") + kind + "/attend");
    EXPECT_GT(finding.at("seen_again").get<int>(), 0);
    const std::string sentence = finding.at("blame").at("sentence");
    EXPECT_EQ(sentence.find("rank 1 on host "), 0u) << sentence;
    EXPECT_NE(sentence.find(" in stage attend of step "), std::string::npos) << sentence;
  }
}

TEST_F(Mpi, ChecksThatCannotRunInRanksAreRefused) {
  const CommandResult property =
      run_command(kCommand + " check --world mpi --property page_order --cases 1");
  EXPECT_EQ(property.status, 2);
  EXPECT_NE(property.err.find("page_order"), std::string::npos) << property.err;
  const CommandResult inside =
      run_command(mpirun(2) + kCommand + " check --world mpi --cases 1 --no-store");
  EXPECT_EQ(inside.status, 2) << inside.err;
}

}  // namespace
}  // namespace helixcheck
