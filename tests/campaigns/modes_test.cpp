// What each way to misbehave becomes: a finding with the right kind and place, and a campaign that
// goes on to its end. The modes are described in tests/support/misbehaving_subject.cpp.

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <ostream>

#include "campaigns/campaign.hpp"
#include "scenario/json.hpp"

namespace helixcheck {
namespace {

// Enough for one at least to meet the condition of the rare modes.
constexpr std::uint64_t kCases = 20;
const std::string kUsual = "--cases 20 --seed 1 --unguided ";

struct Mode {
  const char* name;
  const char* kind;  // of its finding
  const char* stage;
  const char* sentence;  // a part of it
  const char* output;    // a part of what the worker printed
  const char* more;      // options
};

void PrintTo(const Mode& mode, std::ostream* out) {
  *out << mode.name;
}

// A line for the table of modes.
void report(const CampaignFolder& folder, const std::string& mode) {
  const Totals totals = folder.last().totals;
  std::string line = mode + ": " + std::to_string(totals.cases) + " cases, " +
                     std::to_string(totals.restarts) + " restarts";
  for (const FindingRecord& finding : folder.findings()) {
    line += "; " + finding.signature + ", " + finding.state + ", \"" + finding.blame + "\", " +
            std::to_string(finding.shrink_evaluations) + " evaluations" +
            (finding.locally_minimal ? ", minimal" : "");
  }
  testing::Test::RecordProperty("campaign", line);
  std::printf("%s\n", line.c_str());
}

class MisbehavingMode : public testing::TestWithParam<Mode> {};

TEST_P(MisbehavingMode, IsOneFinding) {
  const Mode& mode = GetParam();
  const CampaignFolder folder(mode.name);
  const CommandResult result = folder.run(kUsual + mode.more);
  EXPECT_EQ(result.status, 1) << result.err;
  const CampaignRecord campaign = folder.last();
  EXPECT_EQ(campaign.state, "finished");
  EXPECT_EQ(campaign.totals.cases + campaign.totals.unjudged, kCases);
  const std::vector<FindingRecord> findings = folder.findings();
  ASSERT_EQ(findings.size(), 1u) << result.out;
  const FindingRecord& finding = findings[0];
  EXPECT_EQ(finding.kind, mode.kind);
  EXPECT_EQ(finding.stage, mode.stage);
  EXPECT_EQ(finding.state, "confirmed") << finding.note;
  EXPECT_NE(finding.blame.find(mode.sentence), std::string::npos) << finding.blame;
  EXPECT_NE(finding.output.find(mode.output), std::string::npos) << finding.output;
  EXPECT_GE(finding.count, 1u);
  EXPECT_EQ(finding.count, folder.failed_cases()) << "each is counted";
  EXPECT_GT(finding.shrink_evaluations, 0);
  // Exactly what the store keeps is in the corpus, too.
  const auto files = folder.corpus_files();
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(files[0], finding.file);
  EXPECT_EQ(print_scenario_file(load_scenario_file(files[0])), finding.scenario_file);
  report(folder, mode.name);
}

constexpr const char* kOneJob = "--jobs 1 ";
constexpr const char* kTwoJobs = "--jobs 2 ";
// Less than the command's own tests take, more than any of these cases.
constexpr const char* kHang = "--jobs 1 --case-timeout 3 --shrink-time 3";

const Mode kQuick[] = {
    {"segfault", "crash", "attend", "SIGSEGV in stage attend of step", "", kTwoJobs},
    {"abort", "crash", "attend", "SIGABRT in stage attend of step", "", kOneJob},
    {"exit0", "exit", "attend", "ended its process with status 0", "", kOneJob},
    {"throw", "error", "attend", "attend threw an exception", "", kTwoJobs},
    {"kill_self", "crash", "attend", "SIGKILL in stage attend", "", kOneJob},
    {"close_fds", "exit", "", "closed its connection to the supervisor", "", kOneJob},
    {"wrong", "value", "attend", "attend wrote partial_o", "", kTwoJobs},
};
const Mode kSlow[] = {
    {"exit7", "exit", "attend", "ended its process with status 7", "", kTwoJobs},
    {"fpe", "crash", "attend", "SIGFPE in stage attend", "", kOneJob},
    {"stack", "crash", "attend", "SIGSEGV in stage attend", "", kOneJob},
    {"heap", "crash", "attend", "SIGABRT in stage attend", "", kOneJob},
    {"heap_later", "crash", "attend", "SIGABRT in stage attend", "", kOneJob},
    {"oom", "out_of_memory", "attend", "MiB of memory in stage attend", "", kOneJob},
    {"spin", "hang", "attend", "did not end within", "misbehaving_subject.so", kHang},
    {"stubborn", "hang", "attend", "did not end within", "misbehaving_subject.so", kHang},
    {"sleep", "hang", "exchange", "did not end within", "misbehaving_subject.so", kHang},
};

std::string name_of_mode(const testing::TestParamInfo<Mode>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Quick, MisbehavingMode, testing::ValuesIn(kQuick), name_of_mode);
INSTANTIATE_TEST_SUITE_P(Slow, MisbehavingMode, testing::ValuesIn(kSlow), name_of_mode);

TEST(Modes, NoiseIsAnEventAndNoFinding) {
  const CampaignFolder folder("noise");
  const CommandResult result = folder.run("--cases 3 --seed 1 --unguided --jobs 1");
  EXPECT_EQ(result.status, 0) << result.out << result.err;
  EXPECT_TRUE(folder.findings().empty());
  EXPECT_EQ(folder.events(),
            std::vector<std::string>{
                "a worker prints more than 1 MiB; the last 64 KiB are kept with a finding"});
}

TEST(Modes, AForkedChildIsGoneWithItsWorker) {
  const CampaignFolder folder("fork");
  const CommandResult result = folder.run(kUsual + "--jobs 2");
  EXPECT_EQ(result.status, 0) << result.out << result.err;
  EXPECT_EQ(folder.last().totals.cases, kCases);
  EXPECT_TRUE(folder.findings().empty());
  EXPECT_TRUE(processes_with(folder.path().string()).empty());
}

// Leaks are looked for where the heap has grown, which takes some hundred cases.
TEST(SlowModes, ALeakIsMeasured) {
  const CampaignFolder folder("leak");
  const CommandResult result = folder.run("--cases 1200 --seed 1 --unguided --jobs 1");
  EXPECT_EQ(result.status, 1) << result.err;
  EXPECT_EQ(folder.last().state, "finished");
  ASSERT_EQ(folder.findings().size(), 1u);
  const FindingRecord finding = folder.findings()[0];
  EXPECT_EQ(finding.kind, "leak");
  EXPECT_EQ(finding.state, "confirmed");
  EXPECT_NE(finding.blame.find("each repetition leaves 65"), std::string::npos) << finding.blame;
  report(folder, "leak");
}

// What fails only after another scenario is stored with it, and replayed so. The fault shows at
// attend, or, where a scenario hides what happens before the end, at a later stage: a finding each.
TEST(Modes, AFindingWithPredecessorsIsReplayed) {
  const CampaignFolder folder("wrong_after");
  const CommandResult result =
      folder.run("--cases 120 --seed 1 --unguided --jobs 1 --shrink-time 60");
  EXPECT_EQ(result.status, 1) << result.err;
  report(folder, "wrong_after");
  const auto replayed = [&](const std::string& path) {
    return run_command("HELIXCHECK_MISBEHAVE=wrong_after " HELIXCHECK_COMMAND " replay " + path +
                       " --subject " MISBEHAVING_SUBJECT)
        .status;
  };
  const std::vector<FindingRecord> findings = folder.findings();
  ASSERT_FALSE(findings.empty()) << result.out;
  for (const FindingRecord& finding : findings) {
    SCOPED_TRACE(finding.signature);
    EXPECT_EQ(finding.kind, "value");
    EXPECT_EQ(finding.state, "confirmed") << finding.note;
    ScenarioFile file = load_scenario_file(finding.file);
    const bool hidden = file.scenario.run.observe == Observe::end;
    EXPECT_EQ(finding.stage == "attend", !hidden) << finding.stage;
    ASSERT_EQ(file.before.size(), 1u);
    EXPECT_EQ(replayed(finding.file), 1);
    file.before.clear();
    EXPECT_EQ(replayed(folder.files().write("alone.json", print_scenario_file(file))), 0);
  }
}

TEST(Modes, APlugInThatCannotBeLoadedEndsTheCampaign) {
  const CampaignFolder folder;
  const CommandResult result = folder.run("--jobs 2 --subject " CRASHING_SUBJECT);
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  EXPECT_NE(result.err.find("crashing_subject.so: a worker was ended by SIGSEGV before its first "
                            "case, 3 times in a row"),
            std::string::npos)
      << result.err;
}

}  // namespace
}  // namespace helixcheck
