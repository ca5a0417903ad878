// Reading beside a writer, after a killed one, and where nothing can be written.

#include "store/reader.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sample_records.hpp"
#include "scenario/error.hpp"
#include "store/store.hpp"
#include "support/child.hpp"

namespace helixcheck {
namespace {

namespace fs = std::filesystem;

constexpr uid_t kNobody = 65534;

// Runs `act` as somebody whom the modes of files bind, which root is not.
int without_privileges(const std::function<void()>& act) {
  Child child([&](const Child::Say&) {
    if (geteuid() == 0 && setuid(kNobody) != 0) _exit(3);
    act();
  });
  return child.wait();
}

void expect(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(what);
}

// The folder and what is in it, for reading only.
void protect(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) chmod(entry.path().c_str(), 0444);
  chmod(folder.c_str(), 0555);
}

// As a killed campaign leaves it: its newest part is beside the file.
void leave_unfinished(const fs::path& path) {
  Child writer([&](const Child::Say& say) {
    Store store(path);
    store.begin_campaign(sample_campaign());
    say(1);
    for (;;) pause();
  });
  std::int64_t ready = 0;
  ASSERT_TRUE(writer.hear(ready));
  writer.kill();
}

TEST(StoreReader, NamesAStoreThatIsMissing) {
  const StoreFolder at;
  EXPECT_EQ(sentence_of<InputError>([&] { StoreReader reader(at.path()); }),
            at.path().string() + ": there is no such store");
  EXPECT_FALSE(fs::exists(at.path()));
}

TEST(StoreReader, ReadsWhatAKilledCampaignLeft) {
  const StoreFolder at;
  leave_unfinished(at.path());
  ASSERT_GT(fs::file_size(at.path().string() + "-wal"), 0u);
  EXPECT_EQ(StoreReader(at.path()).campaigns().size(), 1u);
}

TEST(StoreReader, ReadsInAFolderThatCannotBeWritten) {
  const StoreFolder at;
  { Store(at.path()).begin_campaign(sample_campaign()); }
  protect(at.folder().path());
  EXPECT_EQ(without_privileges(
                [&] { expect(StoreReader(at.path()).campaigns().size() == 1, "no campaign"); }),
            0);
  chmod(at.folder().path().c_str(), 0755);
}

TEST(StoreReader, ReadsAKilledCampaignInAFolderThatCannotBeWritten) {
  const StoreFolder at;
  leave_unfinished(at.path());
  protect(at.folder().path());
  EXPECT_EQ(without_privileges(
                [&] { expect(StoreReader(at.path()).campaigns().size() == 1, "no campaign"); }),
            0);
  chmod(at.folder().path().c_str(), 0755);
}

// A copy of the file and of its newest part, without the index that SQLite would have to make.
TEST(StoreReader, DoesNotPassOverANewestPartThatItCannotRead) {
  const StoreFolder at;
  leave_unfinished(at.path());
  fs::remove(at.path().string() + "-shm");
  protect(at.folder().path());
  EXPECT_EQ(without_privileges([&] {
              const std::string says =
                  sentence_of<ResourceError>([&] { StoreReader reader(at.path()); });
              expect(holds(says, "campaign.db-wal"), says.c_str());
            }),
            0);
  chmod(at.folder().path().c_str(), 0755);
}

// A copy of the file alone, taken while it was in use.
TEST(StoreReader, ReadsAnInUseCopyInAFolderThatCannotBeWritten) {
  const StoreFolder at;
  {
    Store store(at.path());
    store.begin_campaign(sample_campaign());
    Connection(at.path(), Connection::Access::kWrite).run("PRAGMA wal_checkpoint");
    fs::create_directory(at.folder().path() / "copy # 100%");
    fs::copy_file(at.path(), at.folder().path() / "copy # 100%" / "campaign.db");
  }
  const fs::path folder = at.folder().path() / "copy # 100%";
  protect(folder);
  chmod(at.folder().path().c_str(), 0755);
  EXPECT_EQ(without_privileges([&] {
              expect(StoreReader(folder / "campaign.db").campaigns().size() == 1, "no campaign");
            }),
            0);
  chmod(folder.c_str(), 0755);
}

TEST(StoreReader, SeesOneMomentInASnapshot) {
  const StoreFolder at;
  Store store(at.path());
  store.begin_campaign({});
  const StoreReader reader(at.path());
  reader.snapshot([&] {
    EXPECT_EQ(reader.campaigns().size(), 1u);
    store.begin_campaign({});
    EXPECT_EQ(reader.campaigns().size(), 1u);
  });
  EXPECT_EQ(reader.campaigns().size(), 2u);
  EXPECT_THROW(reader.snapshot([] { throw InputError("no"); }), InputError);
  EXPECT_NO_THROW(reader.snapshot([] {}));
}

TEST(StoreWriter, SaysThatTheStoreIsReadOnly) {
  const StoreFolder at;
  { Store(at.path()).begin_campaign({}); }
  const auto refuses = [&](const std::string& says) {
    return without_privileges([&] {
      const std::string sentence = sentence_of<ResourceError>([&] { Store store(at.path()); });
      expect(holds(sentence, says), sentence.c_str());
    });
  };
  chmod(at.path().c_str(), 0444);
  chmod(at.folder().path().c_str(), 0777);
  EXPECT_EQ(refuses("campaign.db: the store is read-only"), 0);
  chmod(at.folder().path().c_str(), 0555);
  EXPECT_EQ(refuses("campaign.db.lock: a campaign must be able to write this file"), 0);
  EXPECT_EQ(without_privileges([&] {
              expect(holds(sentence_of<ResourceError>(
                               [&] { Store store(at.folder().path() / "new" / "a.db"); }),
                           "folder cannot be made: Permission denied"),
                     "a folder was made");
            }),
            0);
  chmod(at.folder().path().c_str(), 0755);
}

}  // namespace
}  // namespace helixcheck
