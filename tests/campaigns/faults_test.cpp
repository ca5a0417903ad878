// Stores and corpora that cannot be used: one sentence each, and a campaign that has begun goes on.

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "campaigns/campaign.hpp"

namespace helixcheck {
namespace {

namespace fs = std::filesystem;

const std::string kShort = "--cases 3 ";

void expect_one_line(const CommandResult& result, int status, const std::string& part) {
  EXPECT_EQ(result.status, status) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  EXPECT_NE(result.err.find(part), std::string::npos) << result.err;
}

// Statements of SQL on a file.
void change(const fs::path& file, const char* statements) {
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &handle), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(handle, statements, nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(handle);
}

TEST(StoreFaults, AreOneSentence) {
  const CampaignFolder folder;
  folder.files().write("campaign.db", "a text that is long enough to be no empty file\n");
  expect_one_line(folder.run(kShort), 2, "no campaign store");
  fs::remove(folder.store());
  change(folder.store(), "CREATE TABLE others (a)");
  expect_one_line(folder.run(kShort), 2, "an SQLite file of another program");
  fs::remove(folder.store());
  EXPECT_EQ(folder.run(kShort).status, 0);
  change(folder.store(), "PRAGMA user_version = 99");
  expect_one_line(folder.run(kShort), 2, "schema version 99");
  fs::remove(folder.store());
  fs::create_directory(folder.store());
  expect_one_line(folder.run(kShort), 2, "not a file");
  expect_one_line(folder.run(kShort + "--store /dev/null/campaign.db"), 3, "/dev/null/campaign.db");
  expect_one_line(folder.run(kShort + "--store /proc/none/campaign.db"), 3, "cannot be made");
}

TEST(StoreFaults, FoldersAreMade) {
  const CampaignFolder folder;
  const fs::path store = folder.path() / "new" / "folder" / "campaign.db";
  EXPECT_EQ(folder.run(kShort + "--store " + store.string()).status, 0);
  EXPECT_EQ(StoreReader(store).last_campaign()->state, "finished");
}

TEST(StoreFaults, ASecondCampaignOnAStoreIsRefused) {
  const CampaignFolder folder;
  RunningCampaign first(folder, "--time 1000");
  ASSERT_TRUE(first.wait_for([&] { return !first.workers().empty(); })) << first.err();
  expect_one_line(folder.run(kShort), 3, "process " + std::to_string(first.process()) + " on ");
}

TEST(StoreFaults, OptionsAndPlugIns) {
  const CampaignFolder folder;
  expect_one_line(folder.run("--cases 3 --subject /nowhere/plug.so"), 3, "/nowhere/plug.so");
  expect_one_line(folder.run(kShort + "--property nonsense"), 2, "nonsense");
  expect_one_line(folder.run(kShort + "--contract nonsense"), 2, "nonsense");
  expect_one_line(folder.run(kShort + "--observations /nowhere/lines"), 3, "/nowhere/lines");
}

TEST(CorpusFaults, DamagedFilesAreNamedAndLeftOut) {
  const CampaignFolder folder("wrong");
  EXPECT_EQ(folder.run("--cases 20 --seed 1 --unguided --jobs 1 --shrink-time 0").status, 1);
  ASSERT_EQ(folder.corpus_files().size(), 1u);
  folder.files().write("corpus/half.json", "{\"schema\": 1, \"problem\": {");
  folder.files().write("corpus/other.json", "[1, 2]");
  folder.files().write("corpus/property.json",
                       R"({"schema": 1, "provenance": {"property": "nonsense"}})");
  folder.files().write("corpus/notes.txt", "text");
  const CommandResult result = folder.run("--cases 1 --seed 1 --unguided --jobs 1");
  EXPECT_EQ(result.status, 1) << "the stored finding is run first";
  for (const char* name : {"half.json", "other.json", "property.json"}) {
    const std::size_t at = result.err.find(name);
    ASSERT_NE(at, std::string::npos) << name << ": " << result.err;
    EXPECT_EQ(result.err.find(name, at + 1), std::string::npos) << result.err;
  }
  EXPECT_EQ(result.err.find("notes.txt"), std::string::npos);
  EXPECT_NE(result.out.find("again, 1 cases: "), std::string::npos) << result.out;
  EXPECT_EQ(folder.last().totals.restarts, 0u) << result.err;
}

TEST(CorpusFaults, AMissingFolderIsNoFault) {
  const CampaignFolder folder("wrong");
  fs::remove_all(folder.corpus());
  const CommandResult result = folder.run("--cases 20 --seed 1 --unguided --jobs 1");
  EXPECT_EQ(result.status, 1) << result.err;
  EXPECT_EQ(folder.corpus_files().size(), 1u) << "findings make it";
}

// A file system of its own, for tests of a full disk. It needs the right to mount one, which a
// user has in a name space of its own, if the system grants these.
class SmallDisk {
 public:
  explicit SmallDisk(const CampaignFolder& folder) : disk_(folder.path() / "disk") {
    fs::create_directory(disk_);
  }
  // `script` finds the disk as $disk. What it should leave behind must be copied to $disk/..
  CommandResult run(int mib, const std::string& script) const {
    const std::string size = std::to_string(mib);
    const fs::path file = disk_.parent_path() / "script";
    std::ofstream(file) << "disk=" << disk_.string() << "\nmount -t tmpfs -o size=" << size
                        << "m none $disk || exit 99\ncd $disk\n"
                        << script << "\n";
    return run_command("timeout 250 unshare -rm sh " + file.string());
  }

 private:
  fs::path disk_;
};

#define SKIP_WITHOUT_DISK(result)                                                 \
  if ((result).status == 99 || (result).err.find("unshare") != std::string::npos) \
  GTEST_SKIP() << "no file system can be mounted here: " << (result).err

TEST(FullDisk, AtTheStartIsOneSentence) {
  const CampaignFolder folder;
  const SmallDisk disk(folder);
  const CommandResult result =
      disk.run(2, "( " + folder.command(kShort + "--store $disk/campaign.db") + " )");
  SKIP_WITHOUT_DISK(result);
  EXPECT_EQ(result.status, 3);
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  EXPECT_NE(result.err.find("No space left on device"), std::string::npos) << result.err;
}

// The disk fills up while the campaign runs, before the finding is known.
std::string filled_up(const CampaignFolder& folder, const std::string& then) {
  return "( " +
         folder.command(
             "--store $disk/campaign.db --corpus $disk/corpus --seed 1 --unguided --jobs 1 "
             "--observations $disk/../lines --cases 40 --shrink-time 1") +
         " ) 2>$disk/../said & campaign=$!\n"
         // Case 3 fails; 1 case may have run when the disk is full.
         "while kill -0 $campaign && ! [ -s $disk/../lines ]; do sleep 0.01; done\n"
         "kill -STOP $campaign\n"
         "cat /dev/zero >$disk/fill 2>/dev/null\nkill -CONT $campaign\n" +
         then;
}

TEST(FullDisk, OnTheWayLosesNothingThatIsPrinted) {
  const CampaignFolder folder("wrong");
  const SmallDisk disk(folder);
  const CommandResult result = disk.run(
      16, filled_up(folder,
                    "wait $campaign; status=$?\nrm $disk/fill; cp $disk/campaign.db* $disk/..\n"
                    "cat $disk/../said >&2; exit $status"));
  SKIP_WITHOUT_DISK(result);
  EXPECT_EQ(result.status, 1) << result.err;
  EXPECT_NE(result.out.find("finding 1, equivalence/cpu+misbehaving/value/attend"),
            std::string::npos)
      << result.out;
  EXPECT_NE(result.out.find("the store could not be written to the end"), std::string::npos);
  const std::size_t at = result.err.find("it is tried again until it works");
  ASSERT_NE(at, std::string::npos) << result.err;
  EXPECT_EQ(result.err.find("it is tried again", at + 1), std::string::npos) << result.err;
  StoreReader store(folder.store());
  store.check_integrity();
  EXPECT_EQ(store.last_campaign()->state, "running");
}

TEST(FullDisk, WithRoomAgainIsMadeUpFor) {
  const CampaignFolder folder("wrong");
  const SmallDisk disk(folder);
  const CommandResult result = disk.run(
      16,
      filled_up(folder,
                "while kill -0 $campaign && ! grep -q 'tried again' $disk/../said; do sleep 0.01; "
                "done\n"
                "kill -STOP $campaign; rm $disk/fill; kill -CONT $campaign\n"
                "wait $campaign; status=$?\ncp $disk/campaign.db* $disk/..; cat $disk/../said >&2; "
                "exit $status"));
  SKIP_WITHOUT_DISK(result);
  EXPECT_EQ(result.status, 1) << result.err;
  EXPECT_EQ(result.out.find("the store could not be written"), std::string::npos) << result.out;
  StoreReader store(folder.store());
  store.check_integrity();
  EXPECT_EQ(store.last_campaign()->state, "finished");
  ASSERT_EQ(store.findings().size(), 1u);
  EXPECT_EQ(store.findings()[0].state, "confirmed");
}

TEST(StoreFaults, AReadOnlyStoreIsOneSentence) {
  const CampaignFolder folder;
  EXPECT_EQ(folder.run(kShort).status, 0);
  const SmallDisk disk(folder);
  // Where nothing may be written, whoever asks.
  const CommandResult result =
      disk.run(16, "cp $disk/../campaign.db $disk && mount -o remount,ro $disk\n( " +
                       folder.command(kShort + "--store $disk/campaign.db") + " )");
  SKIP_WITHOUT_DISK(result);
  expect_one_line(result, 3, "Read-only file system");
}

}  // namespace
}  // namespace helixcheck
