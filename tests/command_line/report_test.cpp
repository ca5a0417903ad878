// `helixcheck report` as a user meets it.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <nlohmann/json.hpp>

#include "report/made_up_campaign.hpp"
#include "report/store_of.hpp"
#include "support/command.hpp"

namespace helixcheck {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

const std::string kCommand = std::string(HELIXCHECK_COMMAND) + " report ";

class Report : public testing::Test {
 protected:
  Report() { store_view(made_up_campaign(), folder.path() / "night.db"); }

  CommandResult report(const std::string& arguments) const {
    return run_command(kCommand + arguments, folder.path());
  }

  std::string text_of(const std::string& file) const {
    std::ifstream stream(folder.path() / file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  bool is_there(const std::string& file) const { return fs::exists(folder.path() / file); }

  const TemporaryFolder folder;
};

TEST_F(Report, WritesAPageBesideTheStore) {
  const CommandResult result = report("night.db");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_NE(result.out.find("4 findings, 3 of them new"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("page: night.html\n"), std::string::npos) << result.out;
  const std::string page = text_of("night.html");
  EXPECT_EQ(page.rfind("<!DOCTYPE html>", 0), 0u);
  EXPECT_EQ(page.substr(page.size() - 8), "</html>\n");
}

TEST_F(Report, WritesWhereItIsTold) {
  const CommandResult result =
      report("night.db --output other.html --sarif night.sarif --campaign 2");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_FALSE(is_there("night.html"));
  EXPECT_NE(text_of("other.html").find("<title>Helixcheck: campaign 2"), std::string::npos);
  EXPECT_EQ(Json::parse(text_of("night.sarif")).at("runs").at(0).at("results").size(), 5u);
}

TEST_F(Report, JsonIsOneDocument) {
  const CommandResult result = report("night.db --json");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(Json::parse(result.out).at("chosen"), 3);
  EXPECT_FALSE(is_there("night.html")) << "unless --output asks for it";
}

// A store is not changed by reading it, nor are files left beside it.
TEST_F(Report, LeavesTheStoreAlone) {
  const std::string before = text_of("night.db");
  report("night.db");
  EXPECT_EQ(text_of("night.db"), before);
  EXPECT_FALSE(is_there("night.db-wal"));
  EXPECT_EQ(report("night.db --output night.db").status, 2);
  EXPECT_EQ(text_of("night.db"), before);
}

TEST_F(Report, RefusesWhatIsNoStore) {
  folder.write("text.db", "not a database, but long enough to be taken for the head of one");
  for (const char* arguments : {"missing.db", "text.db", "night.db --campaign 9", ""}) {
    const CommandResult result = report(arguments);
    EXPECT_EQ(result.status, 2) << arguments << result.err;
    EXPECT_EQ(result.err.rfind("helixcheck: ", 0), 0u) << result.err;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }
  EXPECT_FALSE(is_there("missing.db"));
}

TEST_F(Report, SaysThatAPageCannotBeWritten) {
  const CommandResult result = report("night.db --output nowhere/page.html");
  EXPECT_EQ(result.status, 3);
  EXPECT_EQ(result.err,
            "helixcheck: nowhere/page.html: cannot be written: No such file or directory\n");
  EXPECT_EQ(result.out, "");
}

}  // namespace
}  // namespace helixcheck
