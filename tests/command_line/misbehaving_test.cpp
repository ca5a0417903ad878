// The plug-in that misbehaves is right unless it is told otherwise, and then where it says.

#include <csignal>
#include <gtest/gtest.h>
#include <string>

#include "support/command.hpp"

namespace helixcheck {
namespace {

const std::string kRun = std::string(HELIXCHECK_COMMAND) +
                         " run --entry core --num-heads 4 --kv-lora-rank 16 --qk-rope-head-dim 4"
                         " --ctx-len 9 --kvp 2 --dtype fp16 --kv-cache-dtype fp16";
const std::string kRare = " --lse-form log2";

CommandResult run_in_mode(const std::string& mode, const std::string& arguments) {
  return run_command("HELIXCHECK_MISBEHAVE=" + mode + " " + kRun + arguments + " --subject " +
                     MISBEHAVING_SUBJECT);
}

// As a shell reports it.
int ended_by(int signal) {
  return 128 + signal;
}

TEST(Misbehaving, IsRightWithoutAMode) {
  for (const std::string& arguments : {kRare, std::string()}) {
    const CommandResult result = run_in_mode("", arguments);
    EXPECT_EQ(result.status, 0) << result.out << result.err;
  }
}

TEST(Misbehaving, DoesWhatItsModeSays) {
  const std::pair<const char*, int> ends[] = {
      {"wrong", 1},
      {"throw", 1},
      {"exit0", 0},
      {"exit7", 7},
      {"abort", ended_by(SIGABRT)},
      {"kill_self", ended_by(SIGKILL)},
  };
  for (const auto& [mode, status] : ends) {
    EXPECT_EQ(run_in_mode(mode, kRare).status, status) << mode;
    EXPECT_EQ(run_in_mode(mode, "").status, 0) << mode << " where it has no reason to";
  }
  EXPECT_EQ(run_in_mode("exit0", kRare).out, "") << "it ends before there is a verdict";
}

TEST(Misbehaving, MakesNoiseInEveryCase) {
  const CommandResult result = run_in_mode("noise", "");
  EXPECT_EQ(result.status, 0);
  EXPECT_GE(result.out.size(), std::size_t{4} << 20);
  EXPECT_GE(result.err.size(), std::size_t{4} << 20);
}

TEST(Misbehaving, KnowsItsModes) {
  const CommandResult result = run_in_mode("nonsense", "");
  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.out.find("names no mode: 'nonsense'"), std::string::npos) << result.out;
}

TEST(Misbehaving, CrashesWhileItIsLoaded) {
  const CommandResult result = run_command(kRun + " --subject " + CRASHING_SUBJECT);
  EXPECT_EQ(result.status, ended_by(SIGSEGV)) << result.err;
}

}  // namespace
}  // namespace helixcheck
