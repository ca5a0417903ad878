#include "store/schema.hpp"

#include <array>
#include <fmt/format.h>

#include "scenario/error.hpp"

namespace helixcheck {
namespace {

constexpr std::int64_t kApplicationId = 0x4878436b;  // "HxCk"

constexpr const char* kVersion1 = R"sql(
CREATE TABLE campaigns (
  id INTEGER PRIMARY KEY,
  uid TEXT NOT NULL UNIQUE,
  command TEXT NOT NULL,
  subject TEXT NOT NULL,
  contract TEXT NOT NULL,
  world TEXT NOT NULL,
  properties TEXT NOT NULL,   -- names with commas; '' = all
  seed INTEGER NOT NULL,      -- printf('%u', seed) from 2^63 on
  guided INTEGER NOT NULL,
  jobs INTEGER NOT NULL,
  budget_seconds REAL NOT NULL,
  budget_cases INTEGER NOT NULL,
  commit_hash TEXT NOT NULL,
  host TEXT NOT NULL,
  machine TEXT NOT NULL,
  started TEXT NOT NULL,
  ended TEXT NOT NULL,
  state TEXT NOT NULL,        -- running, finished, interrupted
  next_case INTEGER NOT NULL,
  seconds REAL NOT NULL,
  busy_seconds REAL NOT NULL,
  cases INTEGER NOT NULL,
  unjudged INTEGER NOT NULL,
  subject_runs INTEGER NOT NULL,
  findings INTEGER NOT NULL,
  pairs INTEGER NOT NULL,
  tuples INTEGER NOT NULL,
  behaviours INTEGER NOT NULL,
  interesting INTEGER NOT NULL,
  restarts INTEGER NOT NULL,
  worst_ratio REAL            -- NULL = not a number
);

CREATE TABLE progress (       -- the totals of a campaign over time
  campaign INTEGER NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE,
  time TEXT NOT NULL,
  seconds REAL NOT NULL,
  busy_seconds REAL NOT NULL,
  cases INTEGER NOT NULL,
  unjudged INTEGER NOT NULL,
  subject_runs INTEGER NOT NULL,
  findings INTEGER NOT NULL,
  pairs INTEGER NOT NULL,
  tuples INTEGER NOT NULL,
  behaviours INTEGER NOT NULL,
  interesting INTEGER NOT NULL,
  restarts INTEGER NOT NULL,
  worst_ratio REAL
);
CREATE INDEX progress_of_campaign ON progress (campaign);

CREATE TABLE findings (
  id INTEGER PRIMARY KEY,
  signature TEXT NOT NULL UNIQUE,
  property TEXT NOT NULL,
  subject TEXT NOT NULL,
  kind TEXT NOT NULL,
  stage TEXT NOT NULL,
  state TEXT NOT NULL,         -- new, unconfirmed, nondeterminism, confirmed
  scenario_file TEXT NOT NULL,
  blame TEXT NOT NULL,
  explanation TEXT NOT NULL,
  note TEXT NOT NULL,
  output TEXT NOT NULL,
  replay TEXT NOT NULL,
  file TEXT NOT NULL,
  shrink_evaluations INTEGER NOT NULL,
  locally_minimal INTEGER NOT NULL,
  described_by INTEGER REFERENCES campaigns (id) ON DELETE SET NULL
);

CREATE TABLE sightings (       -- which campaign saw which finding
  finding INTEGER NOT NULL REFERENCES findings (id) ON DELETE CASCADE,
  campaign INTEGER NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE,
  cases INTEGER NOT NULL,
  case_index INTEGER NOT NULL, -- of the first one
  first_seen TEXT NOT NULL,
  last_seen TEXT NOT NULL,
  first_commit TEXT NOT NULL,
  last_commit TEXT NOT NULL,
  PRIMARY KEY (finding, campaign)
) WITHOUT ROWID;
CREATE INDEX sightings_of_campaign ON sightings (campaign);

CREATE TABLE cases (           -- a sample of those that were run
  campaign INTEGER NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE,
  case_index INTEGER NOT NULL,
  time TEXT NOT NULL,
  property TEXT NOT NULL,
  status TEXT NOT NULL,        -- passed, failed, unjudged
  origin TEXT NOT NULL,        -- series, mutation, crossover, corpus
  tap TEXT NOT NULL,           -- with the worst ratio
  ratio REAL,                  -- NULL = not a number
  seconds REAL NOT NULL,
  scenario TEXT NOT NULL
);
CREATE INDEX cases_of_campaign ON cases (campaign);

CREATE TABLE taps (
  campaign INTEGER NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE,
  tap TEXT NOT NULL,
  worst_ratio REAL,
  PRIMARY KEY (campaign, tap)
) WITHOUT ROWID;

CREATE TABLE tap_ratios (      -- how many cases came how close to the bound of a tap
  campaign INTEGER NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE,
  tap TEXT NOT NULL,
  log2_ratio INTEGER NOT NULL, -- rounded down; -60 for 0
  cases INTEGER NOT NULL,
  PRIMARY KEY (campaign, tap, log2_ratio)
) WITHOUT ROWID;

CREATE TABLE levels (          -- of features: "kvp 3"
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
);

CREATE TABLE level_pairs (     -- the view pairs shows their names
  campaign INTEGER NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE,
  a INTEGER NOT NULL REFERENCES levels (id),
  b INTEGER NOT NULL REFERENCES levels (id),
  cases INTEGER NOT NULL,
  PRIMARY KEY (campaign, a, b)
) WITHOUT ROWID;

CREATE TABLE interesting (     -- cases that showed something new
  campaign INTEGER NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE,
  case_index INTEGER NOT NULL,
  genome BLOB NOT NULL,
  property TEXT NOT NULL,
  scenario TEXT NOT NULL,
  reason TEXT NOT NULL
);
CREATE INDEX interesting_of_campaign ON interesting (campaign);

CREATE TABLE events (
  campaign INTEGER NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE,
  time TEXT NOT NULL,
  text TEXT NOT NULL
);
CREATE INDEX events_of_campaign ON events (campaign);

CREATE VIEW pairs AS
  SELECT p.campaign, a.name AS a, b.name AS b, p.cases
  FROM level_pairs p JOIN levels a ON a.id = p.a JOIN levels b ON b.id = p.b;

CREATE VIEW finding_times AS
  SELECT f.id,
         (SELECT sum(cases) FROM sightings WHERE finding = f.id) AS cases,
         (SELECT count(*) FROM sightings WHERE finding = f.id) AS campaigns,
         first.first_seen, first.first_commit, first.campaign AS first_campaign, first.case_index,
         last.last_seen, last.last_commit, last.campaign AS last_campaign
  FROM findings f
  JOIN sightings first ON first.finding = f.id AND first.campaign =
    (SELECT campaign FROM sightings WHERE finding = f.id ORDER BY first_seen, campaign LIMIT 1)
  JOIN sightings last ON last.finding = f.id AND last.campaign =
    (SELECT campaign FROM sightings WHERE finding = f.id
     ORDER BY last_seen DESC, campaign DESC LIMIT 1);

CREATE VIEW finding_summary AS
  SELECT id, signature, state, cases, campaigns, first_seen, first_commit, last_seen, last_commit,
         file, blame
  FROM findings JOIN finding_times USING (id)
  ORDER BY last_seen DESC, id;

CREATE VIEW campaign_summary AS
  SELECT c.id, c.state, c.subject, printf('%u', c.seed) AS seed, c.started,
         round(c.seconds / 3600, 2) AS hours, c.cases,
         CAST(c.cases / nullif(c.seconds, 0) AS INTEGER) AS cases_per_second,
         (SELECT count(*) FROM sightings WHERE campaign = c.id) AS findings,
         (SELECT count(*) FROM finding_times WHERE first_campaign = c.id) AS new_findings,
         c.pairs, c.worst_ratio, c.commit_hash, c.host
  FROM campaigns c
  ORDER BY c.id;
)sql";

constexpr std::array kMigrations{Migration{1, kVersion1}};

}  // namespace

std::span<const Migration> migrations() {
  return kMigrations;
}

StoreKind store_kind(const Connection& connection, std::span<const Migration> known) {
  const std::string store = connection.path().string();
  const std::int64_t owner = connection.number("PRAGMA application_id");
  if (owner == 0 && connection.number("SELECT count(*) FROM sqlite_master") == 0) {
    return StoreKind::kEmpty;
  }
  if (owner != kApplicationId) {
    throw InputError(
        fmt::format("{}: this is no campaign store: an SQLite file of another program", store));
  }
  const std::int64_t version = connection.number("PRAGMA user_version");
  if (version > known.back().version) {
    throw InputError(
        fmt::format("{}: the store has schema version {}, and this helixcheck knows "
                    "versions up to {}: use a newer one",
                    store, version, known.back().version));
  }
  return StoreKind::kStore;
}

void migrate(const Connection& connection, std::span<const Migration> known) {
  if (store_kind(connection, known) == StoreKind::kStore &&
      connection.number("PRAGMA user_version") == known.back().version) {
    return;
  }
  connection.run("BEGIN IMMEDIATE");
  try {
    for (const Migration& step : known) {
      if (step.version <= connection.number("PRAGMA user_version")) continue;
      connection.run(step.statements);
      connection.run(fmt::format("PRAGMA user_version = {}", step.version));
    }
    connection.run(fmt::format("PRAGMA application_id = {}", kApplicationId));
    connection.run("COMMIT");
  } catch (...) {
    if (connection.in_transaction()) connection.run("ROLLBACK");
    throw;
  }
}

void check_integrity(const Connection& connection) {
  const std::string state = connection.text("PRAGMA quick_check(1)");
  if (state == "ok") return;
  throw InputError(
      fmt::format("{}: the store is damaged ({}); `sqlite3 FILE .recover` saves what is left",
                  connection.path().string(), state.substr(0, state.find('\n'))));
}

}  // namespace helixcheck
