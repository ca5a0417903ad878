// `helixcheck merge` as users meet it.

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "store/store.hpp"
#include "support/command.hpp"

namespace helixcheck {
namespace {

class MergeVerb : public testing::Test {
 protected:
  MergeVerb() {
    for (const char* name : {"one.db", "two.db"}) Store(folder_.path() / name).begin_campaign({});
    folder_.write("text.db", "text\n");
  }
  CommandResult merge(const std::string& arguments) const {
    return run_command(std::string(HELIXCHECK_COMMAND) + " merge " + arguments, folder_.path());
  }
  TemporaryFolder folder_;
};

TEST_F(MergeVerb, SaysWhatItCopied) {
  const CommandResult first = merge("all.db one.db two.db");
  EXPECT_EQ(first.status, 0);
  EXPECT_EQ(first.out, "all.db: campaigns: 2 added, 0 updated, 0 unchanged; 0 new findings\n");
  EXPECT_EQ(first.err, "");
  const auto again = nlohmann::json::parse(merge("all.db one.db --json").out);
  EXPECT_EQ(again, nlohmann::json::parse(R"({"schema": 1, "added": 0, "updated": 0,
      "unchanged": 1, "new_findings": 0, "left_out": 0})"));
}

TEST_F(MergeVerb, LeavesOutWhatItCannotRead) {
  const CommandResult result = merge("all.db text.db one.db");
  EXPECT_EQ(result.status, 2);
  EXPECT_EQ(result.out, "all.db: campaigns: 1 added, 0 updated, 0 unchanged; 0 new findings\n");
  EXPECT_EQ(result.err,
            "helixcheck: left out: text.db: this is no campaign store: not an SQLite file\n");
}

TEST_F(MergeVerb, RefusesBadUsage) {
  EXPECT_EQ(merge("all.db").status, 2);
  EXPECT_EQ(merge("text.db one.db").status, 2);
  const CommandResult missing = merge("all.db none.db");
  EXPECT_EQ(missing.status, 2);
  EXPECT_EQ(missing.err,
            "helixcheck: all.db: nothing to merge into it: none.db: there is no such store\n");
}

}  // namespace
}  // namespace helixcheck
