// Findings: one row for a signature, whichever nights saw it, and one row for each of these nights.

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <string_view>
#include <tuple>

#include "scenario/error.hpp"
#include "store/columns.hpp"
#include "store/statement.hpp"
#include "store/store.hpp"

namespace helixcheck {
namespace {

// Larger is better.
std::tuple<std::ptrdiff_t, bool, bool> worth(const FindingRecord& finding) {
  constexpr std::array<std::string_view, 4> kStates{"new", "unconfirmed", "nondeterminism",
                                                    "confirmed"};
  const auto state = std::find(kStates.begin(), kStates.end(), finding.state);
  return {state == kStates.end() ? -1 : state - kStates.begin(), finding.locally_minimal,
          !finding.file.empty()};
}

void insert_description(const Connection& connection, const FindingRecord& finding) {
  Statement(connection, columns::insert_into("findings", columns::kDescription + ", described_by"))
      .bind(columns::description_of(finding))
      .bind(finding.last_campaign)
      .run();
}

void replace_description(const Connection& connection, const FindingRecord& finding) {
  const std::string changed = columns::kDescription + ", described_by";
  Statement(connection, fmt::format("UPDATE findings SET ({}) = {} WHERE signature = ?", changed,
                                    columns::parameters(changed)))
      .bind(columns::description_of(finding))
      .bind(finding.last_campaign, finding.signature)
      .run();
}

}  // namespace

std::int64_t Store::id_of(const std::string& signature) const {
  Statement query(connection(), "SELECT id FROM findings WHERE signature = ?");
  query.bind(signature);
  std::int64_t id = 0;
  if (!query.step()) {
    throw InputError(fmt::format("{}: there is no finding {}", path().string(), signature));
  }
  query.read(id);
  return id;
}

std::int64_t Store::save_finding(const FindingRecord& finding) {
  std::int64_t id = 0;
  write([&] {
    FindingRecord stored;
    std::int64_t described_by = 0;
    Statement query(connection(),
                    "SELECT state, locally_minimal, file, coalesce(described_by, 0) "
                    "FROM findings WHERE signature = ?");
    query.bind(finding.signature);
    if (!query.step()) {
      insert_description(connection(), finding);
    } else {
      query.read(stored.state, stored.locally_minimal, stored.file, described_by);
      const bool own = described_by == finding.last_campaign;
      if (own ? worth(finding) >= worth(stored) : worth(finding) > worth(stored)) {
        replace_description(connection(), finding);
      }
    }
    id = id_of(finding.signature);
    if (Statement seen(connection(), "SELECT 1 FROM sightings WHERE finding = ? AND campaign = ?");
        seen.bind(id, finding.last_campaign).step()) {
      count_finding(finding.signature, finding.last_campaign, 0, finding.last_seen,
                    finding.last_commit);
    } else {
      save_sighting(SightingRecord{finding.signature, finding.last_campaign, finding.count,
                                   finding.case_index, finding.last_seen, finding.last_seen,
                                   finding.last_commit, finding.last_commit});
    }
  });
  return id;
}

void Store::remove_finding(const std::string& signature) {
  if (!finding(signature)) return;
  const std::int64_t id = id_of(signature);
  write([&] {
    Statement(connection(), "DELETE FROM sightings WHERE finding = ?").bind(id).run();
    Statement(connection(), "DELETE FROM findings WHERE id = ?").bind(id).run();
  });
}

void Store::count_finding(const std::string& signature, std::int64_t campaign, std::uint64_t cases,
                          const std::string& time, const std::string& commit) {
  write([&] {
    const std::int64_t id = id_of(signature);
    Statement(connection(),
              "INSERT INTO sightings (finding, campaign, cases, case_index, first_seen, last_seen, "
              "first_commit, last_commit) VALUES (?1, ?2, ?3, 0, ?4, ?4, ?5, ?5) "
              "ON CONFLICT (finding, campaign) DO UPDATE SET cases = cases + excluded.cases, "
              "last_commit = CASE WHEN excluded.last_seen < last_seen THEN last_commit "
              "ELSE excluded.last_commit END, last_seen = max(last_seen, excluded.last_seen)")
        .bind(id, campaign, cases, time, commit)
        .run();
  });
}

void Store::save_sighting(const SightingRecord& sighting) {
  write([&] {
    const std::int64_t id = id_of(sighting.signature);
    Statement(connection(), "INSERT OR REPLACE INTO sightings (finding, " + columns::kSighting +
                                ") VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(id)
        .bind(columns::of(sighting))
        .run();
  });
}

}  // namespace helixcheck
