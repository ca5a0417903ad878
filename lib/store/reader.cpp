#include "store/reader.hpp"

#include <fmt/format.h>
#include <system_error>
#include <utility>

#include "scenario/error.hpp"
#include "store/columns.hpp"
#include "store/schema.hpp"
#include "store/statement.hpp"

namespace helixcheck {
namespace fs = std::filesystem;
namespace {

// A file that nobody may write needs no lock. What its writer has left beside it would be missed.
std::unique_ptr<Connection> open_unchanging(const fs::path& path) {
  const fs::path journal = path.string() + "-wal";
  std::error_code missing;
  if (const auto size = fs::file_size(journal, missing); !missing && size > 0) {
    throw ResourceError(
        fmt::format("{}: its newest part is still in {}, and is only read in a "
                    "folder that can be written: copy both files to one",
                    path.string(), journal.string()));
  }
  return std::make_unique<Connection>(path, Connection::Access::kUnchanging);
}

std::unique_ptr<Connection> open_for_reading(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) {
    throw InputError(fmt::format("{}: there is no such store", path.string()));
  }
  if (!fs::is_regular_file(path, error)) {
    throw InputError(fmt::format("{}: this is no campaign store: not a file", path.string()));
  }
  auto connection = std::make_unique<Connection>(path, Connection::Access::kRead);
  StoreKind kind;
  try {
    kind = store_kind(*connection);
  } catch (const StoreError&) {
    connection = open_unchanging(path);
    kind = store_kind(*connection);
  }
  if (kind == StoreKind::kEmpty) {
    throw InputError(
        fmt::format("{}: this store is empty: no campaign was begun in it", path.string()));
  }
  return connection;
}

// Every row of a query as a record; `read` reads the columns.
template <typename Record, typename Read, typename... Values>
std::vector<Record> rows(const Connection& connection, const std::string& query, Read read,
                         const Values&... values) {
  Statement statement(connection, query);
  statement.bind(values...);
  std::vector<Record> records;
  while (statement.step()) read(statement, records.emplace_back());
  return records;
}

template <typename Record>
std::optional<Record> first_of(std::vector<Record> records) {
  if (records.empty()) return std::nullopt;
  return std::move(records.front());
}

constexpr auto kReadAll = [](Statement& row, auto& record) { row.read(columns::of(record)); };

template <typename... Values>
std::vector<CampaignRecord> campaigns_where(const Connection& connection, const char* condition,
                                            const Values&... values) {
  return rows<CampaignRecord>(
      connection, fmt::format("SELECT id, {} FROM campaigns {}", columns::kCampaign, condition),
      [](Statement& row, CampaignRecord& c) {
        row.read(c.id);
        row.read(columns::of(c));
      },
      values...);
}

template <typename... Values>
std::vector<FindingRecord> findings_where(const Connection& connection, const char* condition,
                                          const Values&... values) {
  return rows<FindingRecord>(
      connection,
      fmt::format("SELECT id, first_seen, last_seen, first_commit, last_commit, first_campaign, "
                  "last_campaign, cases, case_index, {} "
                  "FROM findings JOIN finding_times USING (id) {} ORDER BY id",
                  columns::kDescription, condition),
      [](Statement& row, FindingRecord& f) {
        row.read(f.id, f.first_seen, f.last_seen, f.first_commit, f.last_commit, f.first_campaign,
                 f.last_campaign, f.count, f.case_index);
        row.read(columns::description_of(f));
      },
      values...);
}

template <typename... Values>
std::vector<SightingRecord> sightings_where(const Connection& connection, const char* condition,
                                            const Values&... values) {
  return rows<SightingRecord>(
      connection,
      fmt::format("SELECT signature, {} FROM sightings JOIN findings ON id = finding {} "
                  "ORDER BY finding, campaign",
                  columns::kSighting, condition),
      [](Statement& row, SightingRecord& s) {
        row.read(s.signature);
        row.read(columns::of(s));
      },
      values...);
}

}  // namespace

StoreReader::StoreReader(const fs::path& path) : StoreReader(open_for_reading(path)) {}

StoreReader::StoreReader(std::unique_ptr<Connection> connection)
    : connection_(std::move(connection)) {}

std::vector<CampaignRecord> StoreReader::campaigns() const {
  return campaigns_where(connection(), "ORDER BY id");
}

std::optional<CampaignRecord> StoreReader::campaign(std::int64_t id) const {
  return first_of(campaigns_where(connection(), "WHERE id = ?", id));
}

std::optional<CampaignRecord> StoreReader::campaign(const std::string& uid) const {
  return first_of(campaigns_where(connection(), "WHERE uid = ?", uid));
}

std::optional<CampaignRecord> StoreReader::last_campaign() const {
  return first_of(campaigns_where(connection(), "ORDER BY id DESC LIMIT 1"));
}

std::vector<FindingRecord> StoreReader::findings() const {
  return findings_where(connection(), "");
}

std::vector<FindingRecord> StoreReader::findings(std::int64_t campaign) const {
  return findings_where(connection(),
                        "WHERE id IN (SELECT finding FROM sightings WHERE campaign = ?)", campaign);
}

std::optional<FindingRecord> StoreReader::finding(const std::string& signature) const {
  return first_of(findings_where(connection(), "WHERE signature = ?", signature));
}

std::vector<SightingRecord> StoreReader::sightings() const {
  return sightings_where(connection(), "");
}

std::vector<SightingRecord> StoreReader::sightings(std::int64_t campaign) const {
  return sightings_where(connection(), "WHERE campaign = ?", campaign);
}

std::vector<ProgressRecord> StoreReader::progress(std::int64_t campaign) const {
  return rows<ProgressRecord>(
      connection(),
      "SELECT " + columns::kProgress + " FROM progress WHERE campaign = ? ORDER BY rowid", kReadAll,
      campaign);
}

std::vector<EventRecord> StoreReader::events(std::int64_t campaign) const {
  return rows<EventRecord>(
      connection(), "SELECT " + columns::kEvent + " FROM events WHERE campaign = ? ORDER BY rowid",
      kReadAll, campaign);
}

std::vector<InterestingRecord> StoreReader::interesting(std::int64_t campaign) const {
  return rows<InterestingRecord>(
      connection(),
      "SELECT " + columns::kInteresting + " FROM interesting WHERE campaign = ? ORDER BY rowid",
      kReadAll, campaign);
}

std::vector<InterestingRecord> StoreReader::interesting_of_subject(
    const std::string& subject) const {
  return rows<InterestingRecord>(
      connection(),
      "SELECT " + columns::kInteresting +
          " FROM interesting WHERE campaign IN (SELECT id FROM campaigns WHERE subject = ?) "
          "ORDER BY interesting.rowid",
      kReadAll, subject);
}

std::vector<CaseRecord> StoreReader::cases(std::int64_t campaign, std::size_t limit) const {
  const std::int64_t most = limit == 0 ? -1 : static_cast<std::int64_t>(limit);
  return rows<CaseRecord>(
      connection(),
      fmt::format("SELECT {0} FROM (SELECT rowid AS place, {0} FROM cases WHERE campaign = ? "
                  "ORDER BY rowid DESC LIMIT ?) ORDER BY place",
                  columns::kCase),
      kReadAll, campaign, most);
}

std::vector<TapRecord> StoreReader::taps(std::int64_t campaign) const {
  std::vector<TapRecord> taps = rows<TapRecord>(
      connection(), "SELECT campaign, tap, worst_ratio FROM taps WHERE campaign = ? ORDER BY tap",
      [](Statement& row, TapRecord& t) { row.read(t.campaign, t.tap, t.worst_ratio); }, campaign);
  Statement ratios(connection(),
                   "SELECT log2_ratio, cases FROM tap_ratios WHERE campaign = ? AND tap = ?");
  for (TapRecord& tap : taps) {
    ratios.bind(campaign, tap.tap);
    while (ratios.step()) {
      int exponent = 0;
      ratios.read(exponent);
      ratios.read(tap.cases[exponent]);
    }
  }
  return taps;
}

std::vector<PairRecord> StoreReader::pairs(std::int64_t campaign) const {
  return rows<PairRecord>(
      connection(),
      "SELECT p.campaign, a.name, b.name, p.cases FROM level_pairs p "
      "JOIN levels a ON a.id = p.a JOIN levels b ON b.id = p.b "
      "WHERE p.campaign = ? ORDER BY p.a, p.b",
      [](Statement& row, PairRecord& p) { row.read(p.campaign, p.a, p.b, p.count); }, campaign);
}

void StoreReader::snapshot(const std::function<void()>& read) const {
  if (connection().in_transaction()) return read();
  connection().run("BEGIN");
  try {
    read();
  } catch (...) {
    connection().run("ROLLBACK");
    throw;
  }
  connection().run("COMMIT");
}

void StoreReader::check_integrity() const {
  helixcheck::check_integrity(connection());
}

}  // namespace helixcheck
