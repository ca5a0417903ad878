// Which cases of a killed run are run again, and until when they are known.

#include "fuzz/journals.hpp"

#include <algorithm>
#include <gtest/gtest.h>

#include "scenario/error.hpp"
#include "support/command.hpp"

namespace helixcheck {
namespace {

namespace fs = std::filesystem;

class JournalFolder : public testing::Test {
 protected:
  // A journal with one case, that a process was killed in or not.
  void leave(const Journals& journals, const std::string& name, std::uint64_t index,
             bool killed = true) const {
    CaseJournal journal(journals.path(name));
    journal.begin(index, "equivalence", "{}");
    if (!killed) journal.end();
  }
  static std::vector<std::uint64_t> running(Journals& journals) {
    std::vector<std::uint64_t> indexes;
    for (const CaseJournal::Entry& entry : journals.take_running()) indexes.push_back(entry.index);
    std::sort(indexes.begin(), indexes.end());
    return indexes;
  }
  TemporaryFolder folder_;
  const fs::path store_ = folder_.path() / "deeper" / "night.db";
  const fs::path beside_ = folder_.path() / "deeper" / "night.db.journals";
};

using Indexes = std::vector<std::uint64_t>;

TEST_F(JournalFolder, LiesBesideTheStore) {
  Journals journals(store_);
  EXPECT_TRUE(fs::is_directory(beside_));
  EXPECT_EQ(journals.path("worker_0"), beside_ / "worker_0.journal");
  EXPECT_TRUE(journals.take_running().empty());
}

TEST_F(JournalFolder, GivesWhatRan) {
  Journals journals(store_);
  leave(journals, "worker_0", 10);
  leave(journals, "worker_1", 11, false);
  leave(journals, "triage", 12);
  const std::vector<CaseJournal::Entry> entries = Journals(store_).take_running();
  ASSERT_EQ(entries.size(), 1u) << "what triage tries is no case of the campaign";
  EXPECT_EQ(entries[0], (CaseJournal::Entry{10, "equivalence", "{}"}));
}

// This run's workers begin their journals anew, and it may be killed as well.
TEST_F(JournalFolder, RemembersUntilAllIsRunAgain) {
  Journals first(store_);
  leave(first, "worker_0", 10);
  for (int start = 0; start < 3; ++start) {
    Journals journals(store_);
    EXPECT_EQ(running(journals), Indexes{10}) << start;
    CaseJournal(journals.path("worker_0")).clear();
  }
  Journals second(store_);
  leave(second, "worker_0", 20);
  leave(second, "worker_1", 21, false);
  Journals last(store_);
  EXPECT_EQ(running(last), (Indexes{10, 20}));
  last.clear();
  EXPECT_FALSE(fs::exists(beside_));
  Journals next(store_);
  EXPECT_TRUE(next.take_running().empty());
}

// "killed_10" comes before "killed_2".
TEST_F(JournalFolder, ForgetsNoneOfMany) {
  Indexes all;
  for (std::uint64_t start = 0; start < 12; ++start) {
    Journals journals(store_);
    leave(journals, "worker_0", 2 * start);
    leave(journals, "worker_1", 2 * start + 1);
    all.insert(all.end(), {2 * start, 2 * start + 1});
    ASSERT_EQ(running(journals), all);
    EXPECT_FALSE(fs::exists(journals.path("worker_0")));
  }
}

TEST_F(JournalFolder, GivesACaseOnce) {
  Journals journals(store_);
  for (const char* name : {"worker_0", "worker_1", "triage"}) leave(journals, name, 5);
  EXPECT_EQ(running(journals), Indexes{5});
  EXPECT_EQ(running(journals), Indexes{5});
}

TEST_F(JournalFolder, PassesOverOtherFiles) {
  Journals journals(store_);
  folder_.write("deeper/night.db.journals/notes.txt", "mine");
  folder_.write("deeper/night.db.journals/odd.journal", "no journal");
  EXPECT_TRUE(journals.take_running().empty());
  EXPECT_TRUE(fs::exists(beside_ / "notes.txt"));
}

TEST_F(JournalFolder, SaysWhyItCannotBeMade) {
  folder_.write("file", "");
  try {
    const Journals journals(folder_.path() / "file" / "night.db");
    FAIL();
  } catch (const ResourceError& error) {
    EXPECT_EQ(std::string(error.what()).rfind("folder " + folder_.path().string(), 0), 0u)
        << error.what();
  }
}

}  // namespace
}  // namespace helixcheck
