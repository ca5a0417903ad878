// What a journal says is what was begun: whole, in order, after any end of its writer.

#include "fuzz/journal.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <sys/resource.h>
#include <thread>

#include "scenario/error.hpp"
#include "support/child.hpp"
#include "support/command.hpp"

namespace helixcheck {
namespace {

using Entry = CaseJournal::Entry;

// One that shows if parts of two are mixed: each is a function of its index.
Entry entry(std::uint64_t index) {
  const auto letter = static_cast<char>('a' + index % 26);
  return {index, std::string(1 + index % 20, letter),
          std::string(index * 7919 % 30'000, letter) + std::to_string(index)};
}

bool begin(CaseJournal& journal, const Entry& what) {
  return journal.begin(what.index, what.property, what.scenario);
}

std::vector<Entry> entries(std::uint64_t first, std::uint64_t last) {
  std::vector<Entry> all;
  for (std::uint64_t index = first; index <= last; ++index) all.push_back(entry(index));
  return all;
}

std::vector<std::uint64_t> indexes(const std::vector<Entry>& all) {
  std::vector<std::uint64_t> result;
  for (const Entry& one : all) result.push_back(one.index);
  return result;
}

class Journal : public testing::Test {
 protected:
  TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_.path() / "worker_0.journal";
};

TEST_F(Journal, IsEmptyAtFirst) {
  const CaseJournal journal(file_);
  EXPECT_EQ(journal.running(), std::nullopt);
  EXPECT_TRUE(journal.finished().empty());
  EXPECT_EQ(journal.begun(), 0u);
  EXPECT_EQ(journal.running_seconds(), 0);
  EXPECT_EQ(journal.file(), file_);
}

TEST_F(Journal, KnowsWhatRunsAndWhatRanBefore) {
  CaseJournal journal(file_);
  ASSERT_TRUE(begin(journal, entry(1)));
  EXPECT_EQ(journal.running(), entry(1));
  EXPECT_TRUE(journal.finished().empty());
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_GE(journal.running_seconds(), 0.002);
  journal.end();
  EXPECT_EQ(journal.running(), std::nullopt);
  EXPECT_EQ(journal.running_seconds(), 0);
  EXPECT_EQ(journal.finished(), entries(1, 1));
  ASSERT_TRUE(begin(journal, entry(2)));
  EXPECT_EQ(journal.running(), entry(2));
  EXPECT_EQ(journal.finished(), entries(1, 1));
  EXPECT_EQ(journal.begun(), 2u);
}

TEST_F(Journal, KeepsWhatIsEmptyOrBinary) {
  CaseJournal journal(file_);
  const Entry odd{~std::uint64_t{0}, "", std::string("\0\n\xff", 3)};
  ASSERT_TRUE(begin(journal, odd));
  EXPECT_EQ(journal.running(), odd);
  ASSERT_TRUE(begin(journal, Entry{}));
  EXPECT_EQ(journal.running(), Entry{});
}

TEST_F(Journal, KeepsTheLastEntries) {
  CaseJournal journal(file_);
  for (std::uint64_t index = 1; index <= 200; ++index) {
    ASSERT_TRUE(begin(journal, entry(index)));
    std::uint64_t first = index < CaseJournal::kSlots ? 1 : index - CaseJournal::kSlots + 2;
    if (index > 1) {
      ASSERT_EQ(journal.finished(), entries(first, index - 1));
    }
    journal.end();
    ASSERT_EQ(journal.finished(), entries(first, index));
  }
  EXPECT_EQ(journal.begun(), 200u);
}

// One that is too long must not be run, and what is in the journal stays.
TEST_F(Journal, RefusesWhatIsTooLong) {
  CaseJournal journal(file_);
  ASSERT_TRUE(begin(journal, entry(1)));
  journal.end();
  const std::string property = "equivalence";
  const std::size_t room = CaseJournal::kSlotBytes - 16 - property.size();
  for (const std::size_t size : {room + 1, 2 * room, CaseJournal::kSlots * 2 * room}) {
    EXPECT_FALSE(journal.begin(2, property, std::string(size, 'x')));
    EXPECT_EQ(journal.running(), std::nullopt);
    EXPECT_EQ(journal.finished(), entries(1, 1));
    EXPECT_EQ(journal.begun(), 1u);
  }
  const Entry longest{2, property, std::string(room, 'x')};
  EXPECT_TRUE(begin(journal, longest));
  EXPECT_EQ(journal.running(), longest);
  EXPECT_EQ(journal.finished(), entries(1, 1)) << "a full slot does not touch its neighbours";
}

TEST_F(Journal, StaysWhenItIsOpenedAgain) {
  {
    CaseJournal journal(file_);
    for (std::uint64_t index = 1; index <= 40; ++index) {
      begin(journal, entry(index));
      if (index < 40) journal.end();
    }
    journal.life().enter(mpi::Life::working, "attend", 7);
  }
  CaseJournal again(file_);
  EXPECT_EQ(again.running(), entry(40));
  EXPECT_EQ(indexes(again.finished()), indexes(entries(10, 39)));
  EXPECT_EQ(again.begun(), 40u);
  EXPECT_EQ(again.life().step(), 7);
  again.end();
  EXPECT_EQ(indexes(again.finished()), indexes(entries(10, 40)));
  begin(again, entry(41));
  EXPECT_EQ(again.begun(), 41u);
  EXPECT_EQ(again.running(), entry(41));
  EXPECT_EQ(indexes(again.finished()), indexes(entries(11, 40)));
}

TEST_F(Journal, SharesItsMemory) {
  CaseJournal writer(file_);
  CaseJournal reader(file_);
  begin(writer, entry(1));
  writer.life().enter(mpi::Life::working, "exchange", 2);
  EXPECT_EQ(reader.running(), entry(1));
  std::array<char, 32> buffer{};
  EXPECT_EQ(reader.life().stage(buffer), "exchange");
  EXPECT_EQ(reader.life().life(), mpi::Life::working);
  begin(writer, entry(2));
  EXPECT_EQ(reader.life().stage(buffer), "start") << "a stage of the case before says nothing";
  EXPECT_EQ(reader.life().step(), -1);
  reader.clear();
  EXPECT_EQ(writer.running(), std::nullopt);
  EXPECT_EQ(writer.begun(), 0u);
  EXPECT_TRUE(writer.finished().empty());
}

TEST_F(Journal, TakesWhatIsNoneForANewOne) {
  for (const std::string& text : {std::string("helixcheck-j-0 of another version"),
                                  std::string(10'000'000, '\x7f'), std::string()}) {
    folder_.write("worker_0.journal", text);
    CaseJournal journal(file_);
    EXPECT_EQ(journal.running(), std::nullopt);
    EXPECT_TRUE(journal.finished().empty());
    ASSERT_TRUE(begin(journal, entry(1)));
    EXPECT_EQ(CaseJournal(file_).running(), entry(1));
  }
}

std::string refusal(const std::filesystem::path& file) {
  try {
    const CaseJournal journal(file);
  } catch (const ResourceError& error) {
    return error.what();
  }
  return "";
}

TEST_F(Journal, SaysWhyItCannotBeMade) {
  const std::string name = (folder_.path() / "none" / "journal").string();
  EXPECT_EQ(refusal(name), "journal " + name + ": cannot be opened: No such file or directory");
}

// Later there would be no error to report it with: writing to memory is a signal.
TEST_F(Journal, NeedsItsWholeSpaceAtOnce) {
  Child child([this](const Child::Say&) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1'000'000, 1'000'000};
    setrlimit(RLIMIT_FSIZE, &limit);
    const std::string says = refusal(file_);
    if (says.find("cannot be given its space on disk: ") == std::string::npos) {
      throw std::runtime_error("no error: " + says);
    }
  });
  EXPECT_EQ(child.wait(), 0);
}

// Kills hit the copying of long scenarios, and whatever else comes.
TEST_F(Journal, IsNeverTornByAKill) {
  constexpr int kKills = 50, kMostKills = 2000;  // until both moments were hit
  std::mt19937 random(3);
  std::uint64_t last = 0;
  int amid = 0, between = 0;
  const auto wanted = [&](int kills) {
    return kills < kKills || (std::min(amid, between) == 0 && kills < kMostKills);
  };
  for (int kills = 0; wanted(kills); ++kills) {
    const CaseJournal watched(file_);
    Child writer([this](const Child::Say&) {
      CaseJournal journal(file_);
      for (std::uint64_t index = journal.begun() + 1;; ++index) {
        const Entry next = entry(index);
        journal.begin(next.index, next.property, next.scenario);
        if (journal.running() != next) throw std::runtime_error("it is another one");
        journal.end();
      }
    });
    const std::uint64_t target = last + 1 + random() % 20;
    while (watched.begun() < target) std::this_thread::yield();
    for (auto left = random() % 20'000; left > 0; --left) watched.begun();
    writer.kill();

    const CaseJournal journal(file_);
    const std::vector<Entry> finished = journal.finished();
    const std::optional<Entry> running = journal.running();
    const std::uint64_t begun = journal.begun();
    ASSERT_GE(begun, last);
    last = begun;
    (running ? amid : between) += 1;
    if (running) {
      ASSERT_EQ(*running, entry(begun));
    }
    const std::uint64_t ended = running ? begun - 1 : begun;
    if (ended == 0) continue;
    ASSERT_FALSE(finished.empty());
    ASSERT_EQ(finished, entries(ended + 1 - finished.size(), ended));
    if (begun >= CaseJournal::kSlots) {
      ASSERT_EQ(finished.size(), CaseJournal::kSlots - (running ? 2 : 1));
    }
  }
  EXPECT_GT(amid, 0);
  EXPECT_GT(between, 0);
}

}  // namespace
}  // namespace helixcheck
