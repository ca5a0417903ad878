// Opening, and the changes that need no thought; findings.cpp and counts.cpp hold the others.

#include "store/store.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <random>
#include <sys/vfs.h>
#include <system_error>
#include <utility>

#include "scenario/error.hpp"
#include "store/columns.hpp"
#include "store/schema.hpp"
#include "store/statement.hpp"

namespace helixcheck {
namespace fs = std::filesystem;
namespace {

// A write-ahead log needs memory that all its readers share, which no file system provides between
// machines.
bool between_machines(const fs::path& path) {
  constexpr std::array<std::uint32_t, 11> kNetworks{
      0x6969,      // NFS
      0xff534d42,  // CIFS
      0xfe534d42,  // SMB 2
      0x517b,      // SMB
      0x0bd00bd0,  // Lustre
      0x47504653,  // GPFS
      0x19830326,  // BeeGFS
      0x00c36400,  // Ceph
      0x5346414f,  // AFS
      0x01021997,  // 9P
      0x65735546,  // FUSE, such as sshfs
  };
  struct statfs system {};
  if (statfs(path.c_str(), &system) != 0) return false;
  const auto type = static_cast<std::uint32_t>(system.f_type);
  return std::find(kNetworks.begin(), kNetworks.end(), type) != kNetworks.end();
}

// The real path, so that a link to a store is locked as the store itself. The folders above it
// exist afterwards.
fs::path prepared(const fs::path& path) {
  if (path.empty()) throw InputError("a campaign store needs a file name");
  std::error_code error;
  const fs::path real = fs::weakly_canonical(fs::absolute(path), error);
  if (fs::exists(real, error) && !fs::is_regular_file(real, error)) {
    throw InputError(fmt::format("{}: this is no campaign store: not a file", path.string()));
  }
  error.clear();
  fs::create_directories(real.parent_path(), error);
  if (error) {
    throw ResourceError(
        fmt::format("{}: the store's folder cannot be made: {}", path.string(), error.message()));
  }
  return real;
}

std::unique_ptr<Connection> open_for_writing(const fs::path& path, JournalMode journal) {
  auto connection = std::make_unique<Connection>(path, Connection::Access::kWrite);
  store_kind(*connection);  // before anything is written to a file that is not ours
  if (!connection->writable()) {
    throw ResourceError(
        fmt::format("{}: the store is read-only, and a campaign must write it", path.string()));
  }
  check_integrity(*connection);
  if (journal == JournalMode::automatic) {
    journal = between_machines(path) ? JournalMode::rollback : JournalMode::write_ahead;
  }
  connection->run(journal == JournalMode::write_ahead ? "PRAGMA journal_mode = WAL"
                                                      : "PRAGMA journal_mode = DELETE");
  connection->run(
      "PRAGMA synchronous = FULL;"
      "PRAGMA foreign_keys = ON;"
      "PRAGMA journal_size_limit = 16777216");
  migrate(*connection);
  return connection;
}

std::string random_uid() {
  std::random_device random;
  std::string uid;
  for (int i = 0; i < 4; ++i) uid += fmt::format("{:08x}", random());
  return uid;
}

}  // namespace

Store::Store(const fs::path& path, JournalMode journal)
    : Store(path, journal, std::make_unique<StoreLock>(prepared(path))) {}

Store::Store(const fs::path& path, JournalMode journal, std::unique_ptr<StoreLock> lock)
    : StoreReader(open_for_writing(path, journal)), lock_(std::move(lock)) {}

Store::~Store() {
  try {  // back to a single file, unless a reader is at it
    connection().run("PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE");
  } catch (const std::exception&) {
    return;
  }
}

void Store::write(const std::function<void()>& changes) {
  if (connection().in_transaction()) return changes();
  connection().run("BEGIN IMMEDIATE");
  try {
    changes();
    connection().run("COMMIT");
  } catch (...) {
    // SQLite has done so itself after some errors.
    if (connection().in_transaction()) connection().run("ROLLBACK");
    throw;
  }
}

std::int64_t Store::begin_campaign(const CampaignRecord& campaign) {
  CampaignRecord begun = campaign;
  if (begun.uid.empty()) begun.uid = random_uid();
  Statement(connection(), columns::insert_into("campaigns", columns::kCampaign))
      .bind(columns::of(std::as_const(begun)))
      .run();
  return connection().last_row();
}

void Store::update_campaign(const CampaignRecord& campaign) {
  const std::optional<CampaignRecord> stored = this->campaign(campaign.id);
  if (!stored) {
    throw InputError(fmt::format("{}: there is no campaign {}", path().string(), campaign.id));
  }
  CampaignRecord updated = campaign;
  updated.uid = stored->uid;
  Statement(connection(), fmt::format("UPDATE campaigns SET ({}) = {} WHERE id = ?",
                                      columns::kCampaign, columns::parameters(columns::kCampaign)))
      .bind(columns::of(std::as_const(updated)))
      .bind(campaign.id)
      .run();
}

void Store::clear_campaign(std::int64_t campaign) {
  write([&] {
    for (const char* table : {"progress", "sightings", "cases", "taps", "tap_ratios", "level_pairs",
                              "interesting", "events"}) {
      Statement(connection(), fmt::format("DELETE FROM {} WHERE campaign = ?", table))
          .bind(campaign)
          .run();
    }
  });
}

void Store::add_progress(const ProgressRecord& progress) {
  Statement(connection(), columns::insert_into("progress", columns::kProgress))
      .bind(columns::of(progress))
      .run();
}

void Store::add_case(const CaseRecord& run) {
  Statement(connection(), columns::insert_into("cases", columns::kCase))
      .bind(columns::of(run))
      .run();
}

void Store::add_interesting(const InterestingRecord& found) {
  Statement(connection(), columns::insert_into("interesting", columns::kInteresting))
      .bind(columns::of(found))
      .run();
}

void Store::add_event(const EventRecord& event) {
  Statement(connection(), columns::insert_into("events", columns::kEvent))
      .bind(columns::of(event))
      .run();
}

}  // namespace helixcheck
