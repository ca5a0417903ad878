// How the end of another process is read. Shell scripts stand in for the command.

#include "campaign/fresh_process.hpp"

#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

#include "scenario/error.hpp"
#include "scenario/json.hpp"
#include "support/command.hpp"

namespace helixcheck {
namespace {

namespace fs = std::filesystem;

class FreshProcesses : public testing::Test {
 protected:
  // Runs two scenarios under page_order in a process that executes `script`.
  std::optional<Signature> run(const std::string& script, double limit_s = 60) {
    const std::string command = folder_.write("command", "#!/bin/sh\n" + script + "\n");
    fs::permissions(command, fs::perms::owner_all);
    return fresh_runs({command, {"--subject", "my subject"}, limit_s})({first_, second_},
                                                                       find_property("page_order"));
  }
  // A report with one failing run, and the status that goes with it.
  std::string report(const std::string& signature, int status = 1) const {
    return fmt::format(R"(echo '{{"runs": [{{"signature": "{}"}}]}}'; exit {})", signature, status);
  }
  std::string kept(const std::string& name) const {
    std::stringstream text;
    text << std::ifstream(folder_.path() / name).rdbuf();
    return text.str();
  }

  TemporaryFolder folder_;
  Scenario first_, second_;
};

TEST_F(FreshProcesses, ReadTheSignatureFromTheReport) {
  EXPECT_EQ(run(report("page_order/cpu+mine/relation/attend")),
            (Signature{"page_order", "cpu+mine", "relation", "attend"}));
  EXPECT_EQ(run(report("page_order/cpu+mine/error/-")),
            (Signature{"page_order", "cpu+mine", "error", ""}));
  EXPECT_EQ(run(report("page_order/cpu+my/kernel/error/plan")),
            (Signature{"page_order", "cpu+my/kernel", "error", "plan"}));
}

TEST_F(FreshProcesses, GetTheScenariosInOneFile) {
  first_.problem.ctx_len = {3, 4};
  second_.problem.ctx_len = {5};
  const std::string keep = folder_.path().string();
  EXPECT_EQ(
      run(fmt::format("cp \"$2\" '{0}/file.json'; printf '%s|' \"$@\" > '{0}/arguments'", keep)),
      std::nullopt);
  const ScenarioFile file = load_scenario_file(folder_.path() / "file.json");
  EXPECT_EQ(file.scenario.problem, second_.problem);
  EXPECT_EQ(file.before, std::vector<Scenario>{first_});
  EXPECT_EQ(file.provenance.property, "page_order");
  const std::string arguments = kept("arguments");
  EXPECT_EQ(arguments.rfind("replay|", 0), 0u) << arguments;
  EXPECT_NE(arguments.find(".json|--json|--subject|my subject|"), std::string::npos) << arguments;
}

TEST_F(FreshProcesses, ThatAreKilledAreCrashes) {
  for (const char* signal : {"SEGV", "ABRT", "KILL"}) {
    EXPECT_EQ(run(fmt::format("kill -{} $$", signal)), (Signature{"page_order", "", "crash", ""}))
        << signal;
  }
}

// The limit would be far away if the script ended by itself.
TEST_F(FreshProcesses, ThatDoNotEndAreHangs) {
  EXPECT_EQ(run("exec sleep 1000", 0.2), (Signature{"page_order", "", "hang", ""}));
  EXPECT_EQ(run("sleep 1000; exit 0", 0.2), (Signature{"page_order", "", "hang", ""}));
}

TEST_F(FreshProcesses, PassWithStatusZeroAlone) {
  EXPECT_EQ(run(report("page_order/cpu/relation/attend", 0)), std::nullopt);
}

// Neither a pass nor a failure: whoever asked must not take it for one.
TEST_F(FreshProcesses, ThatCannotSayAreAnError) {
  const std::string signature = "page_order/cpu/relation/attend";
  EXPECT_THROW(run(report(signature, 2)), ResourceError) << "could not read its input";
  EXPECT_THROW(run(report(signature, 3)), ResourceError) << "lacked a resource";
  EXPECT_THROW(run("echo '<garbage>'; exit 1"), ResourceError);
  EXPECT_THROW(run("exit 1"), ResourceError);
  EXPECT_THROW(run("echo '{\"runs\": []}'; exit 1"), ResourceError);
  EXPECT_THROW(run("echo '{\"runs\": [{\"verdict\": \"fail\"}]}'; exit 1"), ResourceError);
  for (const char* half : {"page_order/cpu", "page_order/cpu/value", "/", ""}) {
    EXPECT_THROW(run(report(half)), ResourceError) << half;
  }
  EXPECT_THROW(run("yes | head -c 3000000; exit 1"), ResourceError) << "more than a pipe holds";
}

// Ctrl-C reaches a whole process group: the child must not be in this one.
TEST_F(FreshProcesses, StandOutsideOfThisProcessGroup) {
  const std::string own = "page_order/cpu/relation/attend";
  EXPECT_NE(run("read -r pid name state parent group rest < /proc/$$/stat\n"
                "[ \"$group\" = $$ ] || exit 0\n" +
                report(own)),
            std::nullopt);
}

TEST_F(FreshProcesses, LeaveNoFilesBehind) {
  run(fmt::format("printf '%s' \"$2\" > '{}/where'; kill -SEGV $$", folder_.path().string()));
  const fs::path file = kept("where");
  EXPECT_EQ(file.extension(), ".json");
  EXPECT_FALSE(fs::exists(file.parent_path())) << file;
}

TEST_F(FreshProcesses, ThatCannotStartAreAnError) {
  const FreshRun none = fresh_runs({(folder_.path() / "no command").string(), {}, 1});
  EXPECT_THROW(none({Scenario{}}, find_property("equivalence")), ResourceError);
}

}  // namespace
}  // namespace helixcheck
