// Findings in the corpus: what a file holds, what it is called, and that writing it fails whole.

#include "campaign/finding.hpp"

#include <gtest/gtest.h>
#include <regex>

#include "campaign/commit.hpp"
#include "campaign/corpus.hpp"
#include "support/command.hpp"

namespace helixcheck {
namespace {

namespace fs = std::filesystem;

Finding finding() {
  Finding made;
  made.signature = {"page_order", "cpu+mine", "relation", "attend"};
  made.scenario.problem.entry = Entry::core;
  made.scenario.problem.ctx_len = {5, 6};
  made.before.resize(2);
  made.before[0].problem.ctx_len = {7, 8, 9};
  return made;
}

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  return files;
}

TEST(CorpusFile, SaysWhereTheFindingCameFrom) {
  const ScenarioFile file = corpus_file(finding(), "./mine.so");
  EXPECT_EQ(file.provenance.property, "page_order");
  EXPECT_EQ(file.provenance.subject, "./mine.so");
  EXPECT_EQ(file.provenance.commit, project_commit());
  EXPECT_TRUE(std::regex_match(file.provenance.date, std::regex("20\\d\\d-[01]\\d-[0-3]\\d")));
  EXPECT_EQ(file.provenance.signature, "page_order/cpu+mine/relation/attend");
  EXPECT_TRUE(std::regex_match(file.scenario.name, std::regex("page_order_attend_[0-9a-f]{8}")));
  EXPECT_EQ(file.before, finding().before);
}

// One finding must not replace another in the corpus.
TEST(CorpusFile, HasANameOfItsOwn) {
  const std::string name = corpus_file(finding(), "cpu").scenario.name;
  EXPECT_EQ(corpus_file(finding(), "cpu").scenario.name, name);
  Finding other = finding();
  other.signature.subject = "cpu+other";
  EXPECT_NE(corpus_file(other, "cpu").scenario.name, name) << "another subject's";
  other = finding();
  other.before.clear();
  EXPECT_NE(corpus_file(other, "cpu").scenario.name, name) << "without what runs before";
  other = finding();
  other.scenario.layout.spare_pages = 7;
  EXPECT_NE(corpus_file(other, "cpu").scenario.name, name) << "another scenario";
}

TEST(CorpusFile, IsNamedWithoutAStageToBlame) {
  Finding nowhere = finding();
  nowhere.signature.stage.clear();
  EXPECT_EQ(corpus_file(nowhere, "cpu").scenario.name.rfind("page_order_run_", 0), 0u);
}

TEST(StoreFinding, IsReadBackFromTheCorpus) {
  const TemporaryFolder folder;
  Finding one = finding();
  store_finding(one, folder.path() / "new", "./mine.so");
  EXPECT_EQ(one.not_stored, "");
  EXPECT_EQ(one.file.parent_path(), folder.path() / "new" / "regressions");
  const std::vector<CorpusEntry> found = find_scenarios({one.file.stem()}, folder.path());
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].property, "page_order");
  EXPECT_EQ(found[0].before, one.before);
  EXPECT_EQ(content_hash(found[0].scenario), content_hash(one.scenario));
}

TEST(StoreFinding, ReplacesTheSameScenarioAndLeavesNothingElse) {
  const TemporaryFolder folder;
  Finding one = finding(), other = finding();
  store_finding(one, folder.path(), "a");
  store_finding(one, folder.path(), "b");
  ASSERT_EQ(files_below(folder.path()), std::vector<fs::path>{one.file});
  EXPECT_EQ(load_scenario_file(one.file).provenance.subject, "b");
  other.scenario.problem.ctx_len = {1};
  store_finding(other, folder.path(), "b");
  EXPECT_EQ(files_below(folder.path()).size(), 2u);
}

// Works for every user, the one who may write anywhere included.
TEST(StoreFinding, SaysWhyItCouldNot) {
  const TemporaryFolder folder;
  const fs::path below_a_file = fs::path(folder.write("plain", "")) / "corpus";
  Finding one = finding();
  store_finding(one, below_a_file, "cpu");
  EXPECT_TRUE(one.file.empty());
  EXPECT_NE(one.not_stored.find(below_a_file.string()), std::string::npos) << one.not_stored;
}

TEST(StoreFinding, LeavesNoPartOfAFile) {
  const TemporaryFolder folder;
  Finding one = finding();
  const std::string name = corpus_file(one, "cpu").scenario.name + ".json";
  fs::create_directories(folder.path() / "regressions" / name / "in the way");
  store_finding(one, folder.path(), "cpu");
  EXPECT_TRUE(one.file.empty());
  EXPECT_NE(one.not_stored.find(name), std::string::npos) << one.not_stored;
  EXPECT_TRUE(files_below(folder.path()).empty());
}

}  // namespace
}  // namespace helixcheck
