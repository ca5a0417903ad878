// Finding scenarios by file, folder and name.

#include "campaign/corpus.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "scenario/error.hpp"
#include "support/command.hpp"

namespace helixcheck {
namespace {

namespace fs = std::filesystem;

constexpr const char* kText = R"({"schema":1,"labels":["slow"],"problem":{"entry":"core"}})";

class Corpus : public testing::Test {
 protected:
  Corpus() {
    fs::create_directories(folder_.path() / "a" / "deeper");
    fs::create_directories(folder_.path() / "golden");
    folder_.write("a/two.json", kText);
    folder_.write("a/one.json", R"({"schema":1,"problem":{"ctx_len":8}})");
    folder_.write("a/deeper/three.json", kText);
    folder_.write("a/notes.txt", "no scenario");
    folder_.write("golden/golden.json", "{}");
  }
  std::vector<std::string> found(const std::vector<std::string>& targets) const {
    std::vector<std::string> names;
    for (const CorpusEntry& entry : find_scenarios(targets, folder_.path())) {
      names.push_back(entry.scenario.name);
    }
    return names;
  }
  TemporaryFolder folder_;
};

using Names = std::vector<std::string>;

TEST_F(Corpus, WalksFoldersInPathOrder) {
  EXPECT_EQ(found({folder_.path().string()}), (Names{"three", "one", "two"}));
  EXPECT_EQ(found({"a"}), (Names{"three", "one", "two"})) << "relative to the corpus";
}

TEST_F(Corpus, FindsNamesAndFilesOnce) {
  EXPECT_EQ(found({"two"}), (Names{"two"}));
  EXPECT_EQ(found({"two", (folder_.path() / "a/two.json").string(), "a"}),
            (Names{"two", "three", "one"}));
}

TEST_F(Corpus, NamesWhatItCannotFind) {
  EXPECT_THROW(found({"four"}), InputError);
  EXPECT_THROW(found({"golden"}), InputError) << "a folder without scenarios";
}

TEST_F(Corpus, ReportsEveryDamagedFile) {
  folder_.write("a/bad.json", "{");
  folder_.write("a/worse.json", "[]");
  try {
    found({"a"});
    FAIL();
  } catch (const InputError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("bad.json"), std::string::npos);
    EXPECT_NE(text.find("worse.json"), std::string::npos);
  }
}

TEST_F(Corpus, ReturnsTheOtherFilesBesideDamagedOnes) {
  folder_.write("a/bad.json", "{");
  folder_.write("a/worse.json", R"({"schema":1,"before":[{},{"layout":{"kvp":0}}]})");
  std::vector<std::string> damaged{"from before"};
  EXPECT_EQ(find_scenarios({"a"}, folder_.path(), &damaged).size(), 3u);
  ASSERT_EQ(damaged.size(), 2u);
  EXPECT_NE(damaged[0].find("bad.json: "), std::string::npos) << damaged[0];
  EXPECT_NE(damaged[1].find("worse.json: before[1]: layout.kvp"), std::string::npos) << damaged[1];
  EXPECT_TRUE(
      find_scenarios({(folder_.path() / "a/bad.json").string()}, folder_.path(), &damaged).empty());
  EXPECT_THROW(find_scenarios({"four"}, folder_.path(), &damaged), InputError)
      << "a target that is not there is no damaged file";
}

TEST_F(Corpus, KeepsWhatBelongsToAFinding) {
  folder_.write("a/found.json", R"({"schema":1,"before":[{"problem":{"ctx_len":9}}],
                                   "provenance":{"property":"ranks",
                                                 "signature":"ranks/cpu/value/attend"}})");
  const std::vector<CorpusEntry> entries = find_scenarios({"found", "one"}, folder_.path());
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].property, "ranks");
  EXPECT_EQ(entries[0].signature, "ranks/cpu/value/attend");
  ASSERT_EQ(entries[0].before.size(), 1u);
  EXPECT_EQ(entries[0].before[0].problem.ctx_len, (std::vector<std::int64_t>{9}));
  EXPECT_EQ(entries[1].property, "");
  EXPECT_EQ(entries[1].signature, "");
  EXPECT_TRUE(entries[1].before.empty());
}

TEST_F(Corpus, SelectsByNameAndLabel) {
  const std::vector<CorpusEntry> all = find_scenarios({"a"}, folder_.path());
  EXPECT_EQ(select_scenarios(all, {"t"}, {}).size(), 2u);
  EXPECT_EQ(select_scenarios(all, {}, {"slow"}).size(), 1u);
  EXPECT_THROW(select_scenarios(all, {"three"}, {"slow"}), InputError);
}

}  // namespace
}  // namespace helixcheck
