// A full disk, failing writes and SIGKILL cost no finding that was stored before.

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

#include "sample_records.hpp"
#include "scenario/error.hpp"
#include "store/store.hpp"
#include "support/child.hpp"

namespace helixcheck {
namespace {

namespace fs = std::filesystem;

FindingRecord finding(std::int64_t number) {
  FindingRecord f = sample_finding("stage" + std::to_string(number));
  f.output = std::string(3000, 'x');
  return f;
}

// Stores findings first, first + 1, ... until one fails; that one.
std::int64_t fill(Store& store, std::int64_t first, std::string& says) {
  for (std::int64_t number = first;; ++number) {
    says = sentence_of<StoreError>([&] { store.save_finding(finding(number)); });
    if (!says.empty()) return number;
  }
}

// The store holds the findings below `next` and nothing else, also for others, and goes on.
void expect_whole(Store& store, std::int64_t next) {
  store.check_integrity();
  if (static_cast<std::int64_t>(store.findings().size()) != next ||
      static_cast<std::int64_t>(StoreReader(store.path()).sightings().size()) != next) {
    throw std::runtime_error("findings are missing or half there");
  }
}

constexpr int kNoMount = 77;

// A small file system that ends with the process.
void mount_small(const fs::path& folder) {
  const int own_user = geteuid() == 0 ? 0 : CLONE_NEWUSER;
  if (unshare(CLONE_NEWNS | own_user) != 0 ||
      mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("none", folder.c_str(), "tmpfs", 0, "size=1m") != 0) {
    _exit(kNoMount);
  }
}

TEST(Faults, AFullDiskFailsOneChangeAndNoMore) {
  for (const JournalMode journal : {JournalMode::write_ahead, JournalMode::rollback}) {
    const StoreFolder at;
    Child child([&](const Child::Say&) {
      mount_small(at.folder().path());
      Store store(at.path(), journal);
      store.begin_campaign({});
      const fs::path other = at.folder().path() / "other";
      std::ofstream(other) << std::string(400'000, 'x');
      std::string says;
      const std::int64_t failed = fill(store, 0, says);
      if (says != at.path().string() + ": the disk is full, so that this change was not stored") {
        throw std::runtime_error(says);
      }
      expect_whole(store, failed);
      if (sentence_of<StoreError>([&] { store.save_finding(finding(failed)); }).empty()) {
        throw std::runtime_error("the disk was not full");
      }
      fs::remove(other);
      store.save_finding(finding(failed));
      expect_whole(store, failed + 1);
    });
    const int status = child.wait();
    if (status == kNoMount) GTEST_SKIP() << "no right to mount a small file system";
    EXPECT_EQ(status, 0);
  }
}

// A limit on the size of files fails writes as a quota or a broken disk would.
TEST(Faults, AFailingWriteFailsOneChangeAndNoMore) {
  for (const JournalMode journal : {JournalMode::write_ahead, JournalMode::rollback}) {
    const StoreFolder at;
    Child child([&](const Child::Say&) {
      signal(SIGXFSZ, SIG_IGN);
      Store store(at.path(), journal);
      store.begin_campaign({});
      rlimit limit{300'000, RLIM_INFINITY};
      setrlimit(RLIMIT_FSIZE, &limit);
      std::string says;
      const std::int64_t failed = fill(store, 0, says);
      if (!holds(says, "the store cannot be read or written (disk I/O error")) {
        throw std::runtime_error(says);
      }
      expect_whole(store, failed);
      limit.rlim_cur = RLIM_INFINITY;
      setrlimit(RLIMIT_FSIZE, &limit);
      store.save_finding(finding(failed));
      expect_whole(store, failed + 1);
    });
    EXPECT_EQ(child.wait(), 0);
  }
}

// A writer is killed 20 times, each time later in its work; the next one goes on in its store.
TEST(Faults, SigkillLosesNothingThatWasStored) {
  const StoreFolder at;
  std::mt19937 random(1);
  std::int64_t stored = 0, killed_in_work = 0;
  for (int round = 0; round < 20; ++round) {
    Child writer([&](const Child::Say& say) {
      Store store(at.path());
      const std::int64_t campaign = store.begin_campaign({});
      for (std::int64_t number = stored;; ++number) {
        store.write([&] {
          FindingRecord seen = finding(number);
          seen.last_campaign = campaign;
          store.save_finding(seen);
          store.add_event({campaign, "", seen.signature});
          store.count_finding(seen.signature, campaign, 1, seen.last_seen, seen.last_commit);
        });
        say(number + 1);
      }
    });
    std::int64_t heard = 0;
    const bool at_work = round % 4 != 0 && writer.hear(heard);  // some die while they open it
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 20'000));
    writer.kill();
    while (writer.hear(heard)) continue;
    killed_in_work += at_work;
    stored = std::max(stored, heard);

    Store store(at.path());
    store.check_integrity();
    const std::vector<FindingRecord> findings = store.findings();
    const auto count = static_cast<std::int64_t>(findings.size());
    ASSERT_GE(count, stored);
    ASSERT_LE(count, stored + 1) << "only the one whose answer was not heard";
    for (std::int64_t i = 0; i < count; ++i) {
      ASSERT_EQ(findings[i].signature, finding(i).signature);
      ASSERT_EQ(findings[i].count, 2u);
    }
    std::size_t events = 0;
    for (const CampaignRecord& campaign : store.campaigns()) {
      events += store.events(campaign.id).size();
    }
    ASSERT_EQ(events, findings.size()) << "all of a change or nothing";
    stored = count;
  }
  EXPECT_EQ(killed_in_work, 15);
  EXPECT_GE(stored, 15);
}

}  // namespace
}  // namespace helixcheck
