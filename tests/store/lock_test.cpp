// One writer at a time, and no lock that outlives its owner.

#include "store/lock.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

#include "sample_records.hpp"
#include "scenario/error.hpp"
#include "store/store.hpp"
#include "support/child.hpp"

namespace helixcheck {
namespace {

// Holds the store until it is killed.
void hold(const std::filesystem::path& path, const Child::Say& say) {
  const Store store(path);
  say(1);
  for (;;) pause();
}

std::string host() {
  char name[256] = "";
  gethostname(name, sizeof(name) - 1);
  return name;
}

TEST(StoreLock, RefusesASecondProcessAndEndsWithTheFirst) {
  const StoreFolder at;
  Child owner([&](const Child::Say& say) { hold(at.path(), say); });
  std::int64_t ready = 0;
  ASSERT_TRUE(owner.hear(ready));
  EXPECT_EQ(sentence_of<ResourceError>([&] { Store second(at.path()); }),
            at.path().string() + ": process " + std::to_string(owner.id()) + " on " + host() +
                " is writing this store");
  owner.kill();
  EXPECT_EQ(Store(at.path()).begin_campaign({}), 1);
}

TEST(StoreLock, RefusesASecondStoreOfOneProcess) {
  const StoreFolder at;
  const Store first(at.path());
  EXPECT_THROW(Store second(at.path()), ResourceError);
}

TEST(StoreLock, IsTheSameForALink) {
  const StoreFolder at;
  const std::filesystem::path link = at.folder().path() / "link.db";
  { Store(at.path()).begin_campaign({}); }
  std::filesystem::create_symlink("campaign.db", link);
  const Store first(at.path());
  EXPECT_THROW(Store second(link), ResourceError);
}

// Workers may live a little longer than the process that has started them.
TEST(StoreLock, IsNotKeptByStartedProcesses) {
  const StoreFolder at;
  Child owner([&](const Child::Say& say) {
    const Store store(at.path());
    const pid_t worker = fork();
    if (worker == 0) {
      execlp("sleep", "sleep", "60", nullptr);
      _exit(1);
    }
    // The worker has become `sleep` when its name has changed.
    const std::string name_file = "/proc/" + std::to_string(worker) + "/comm";
    for (std::string name; name != "sleep";) std::getline(std::ifstream(name_file), name);
    say(worker);
    for (;;) pause();
  });
  std::int64_t worker = 0;
  ASSERT_TRUE(owner.hear(worker));
  owner.kill();
  EXPECT_NO_THROW(Store store(at.path()));
  kill(static_cast<pid_t>(worker), SIGKILL);
}

TEST(StoreLock, LeavesNoFile) {
  const StoreFolder at;
  const std::filesystem::path file = at.path().string() + ".lock";
  {
    const Store store(at.path());
    EXPECT_TRUE(std::filesystem::exists(file));
  }
  EXPECT_FALSE(std::filesystem::exists(file));
}

// Whoever opened the lock's file before its owner removed it must not believe to hold the lock.
TEST(StoreLock, IsHeldByOneOfManyThatRaceForIt) {
  const StoreFolder at;
  const auto race = [&](const Child::Say& say) {
    for (int i = 0; i < 300;) {
      try {
        const StoreLock lock(at.path());
        std::ofstream(at.path(), std::ios::app) << "+";
        if (std::filesystem::file_size(at.path()) != 1) say(-1);
        std::filesystem::resize_file(at.path(), 0);
        ++i;
      } catch (const ResourceError&) {
        usleep(10);
      }
    }
    say(1);
  };
  Child one(race), two(race), three(race);
  for (const Child* child : {&one, &two, &three}) {
    std::int64_t said = 0;
    EXPECT_TRUE(child->hear(said));
    EXPECT_EQ(said, 1) << "two held it at once";
  }
}

}  // namespace
}  // namespace helixcheck
