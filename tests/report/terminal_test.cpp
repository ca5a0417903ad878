// Reports for people: what a failure must tell.

#include "report/terminal.hpp"

#include <gtest/gtest.h>

namespace helixcheck {
namespace {

RunResult failing() {
  RunResult result;
  result.scenario.name = "batch1_ctx1024";
  result.scenario.problem.data.seed = 9;
  result.subject = "cpu";
  result.verdict.pass = false;
  TapResult tap;
  tap.tap = Tap::lse;
  tap.values = 64;
  tap.failures = 2;
  tap.worst_ratio = 12.5;
  tap.blindness = 0.03;
  result.verdict.taps = {tap};
  result.verdict.blame = Blame{Stage::attend, Tap::lse, {}, "step 1: lse is wrong"};
  return result;
}

TEST(Describe, TellsWhatFailedAndHowToRepeatIt) {
  const std::string text = describe(failing());
  for (const char* part : {"FAIL", "lse", "12.5", "0.03!", "step 1: lse is wrong",
                           "replay: helixcheck run --seed 9"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
  EXPECT_EQ(text.find("nondeterministic"), std::string::npos);
}

TEST(Describe, SaysThatAVerdictChanged) {
  RunResult result = failing();
  result.repeated = true;
  result.same_again = false;
  EXPECT_NE(describe(result).find("nondeterministic"), std::string::npos);
}

TEST(Summary, IsOneLineARun) {
  const std::string line = summary_line(failing(), 20);
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_NE(line.find("FAIL"), std::string::npos);
  EXPECT_NE(line.find("12.5 lse"), std::string::npos);
}

TEST(ReplayCommand, NamesAPluginByItsPath) {
  RunResult result = failing();
  result.argument = "./my subject.so";
  EXPECT_NE(replay_command(result).find("--subject './my subject.so'"), std::string::npos);
}

}  // namespace
}  // namespace helixcheck
