// Which files are stores, and how older ones become new ones.

#include "store/schema.hpp"

#include <fstream>
#include <gtest/gtest.h>

#include "sample_records.hpp"
#include "scenario/error.hpp"
#include "store/store.hpp"

namespace helixcheck {
namespace {

namespace fs = std::filesystem;

void alter(const fs::path& path, const std::string& statements) {
  Connection(path, Connection::Access::kWrite).run(statements);
}

// Both ways of opening refuse the file alike, and leave it as it is.
void expect_refusal(const fs::path& path, const std::string& says) {
  const auto size = fs::file_size(path);
  const std::string by_writer = sentence_of<InputError>([&] { Store store(path); });
  const std::string by_reader = sentence_of<InputError>([&] {
    const StoreReader store(path);
    store.check_integrity();
  });
  EXPECT_TRUE(holds(by_writer, path.string() + ": ") && holds(by_writer, says)) << by_writer;
  EXPECT_TRUE(holds(by_reader, path.string() + ": ") && holds(by_reader, says)) << by_reader;
  EXPECT_EQ(fs::file_size(path), size);
}

TEST(Schema, RefusesANewerOne) {
  const StoreFolder at;
  { Store(at.path()).begin_campaign({}); }
  alter(at.path(), "PRAGMA user_version = 7");
  expect_refusal(at.path(), "schema version 7, and this helixcheck knows versions up to 1");
}

TEST(Schema, RefusesFilesThatAreNoStore) {
  const StoreFolder at;
  expect_refusal(at.folder().write("short.db", "text\n"), "not an SQLite file");
  expect_refusal(at.folder().write("long.db", std::string(5000, 'x')), "not an SQLite file");
  alter(at.path(), "CREATE TABLE t (a)");
  expect_refusal(at.path(), "of another program");
  alter(at.path(), "PRAGMA application_id = 7");
  expect_refusal(at.path(), "of another program");
  EXPECT_TRUE(
      holds(sentence_of<InputError>([&] { Store store(at.folder().path()); }), "not a file"));
  EXPECT_TRUE(
      holds(sentence_of<InputError>([&] { StoreReader store(at.folder().path()); }), "not a file"));
  EXPECT_TRUE(holds(sentence_of<InputError>([&] { Store store(""); }), "needs a file name"));
}

TEST(Schema, RefusesDamage) {
  const StoreFolder at;
  {
    Store store(at.path());
    const std::int64_t campaign = store.begin_campaign({});
    store.write([&] {
      for (int i = 0; i < 2000; ++i) store.add_event({campaign, "", std::string(100, 'x')});
    });
  }
  const auto size = fs::file_size(at.path());
  // A page that nothing needs when the store is opened.
  std::fstream(at.path()).seekp(static_cast<std::streamoff>(size / 2 / 4096 * 4096))
      << std::string(8, '\xff');
  expect_refusal(at.path(), "damaged");
  fs::resize_file(at.path(), size / 2);
  expect_refusal(at.path(), "damaged");
}

TEST(Schema, RefusesAStoreWithoutItsTables) {
  const StoreFolder at;
  { Store store(at.path()); }
  alter(at.path(), "DROP TABLE events");
  Store store(at.path());
  EXPECT_TRUE(holds(sentence_of<InputError>([&] { store.events(1); }), "no such table: events"));
}

TEST(Schema, BeginsInAnEmptyFile) {
  const StoreFolder at;
  at.folder().write("campaign.db", "");
  EXPECT_TRUE(holds(sentence_of<InputError>([&] { StoreReader reader(at.path()); }), "empty"));
  EXPECT_EQ(Store(at.path()).begin_campaign({}), 1);
}

TEST(Schema, IsBroughtUpToDateInSteps) {
  const StoreFolder at;
  const std::vector<Migration> known{
      {1, "CREATE TABLE a (x); INSERT INTO a VALUES (1);"},
      {2, "ALTER TABLE a ADD COLUMN y; UPDATE a SET y = x + 1;"},
      {3, "CREATE TABLE b AS SELECT x + y AS z FROM a;"},
  };
  const Connection connection(at.path(), Connection::Access::kWrite);
  migrate(connection, std::span(known).first(1));
  EXPECT_EQ(connection.number("PRAGMA user_version"), 1);
  migrate(connection, known);
  EXPECT_EQ(connection.number("PRAGMA user_version"), 3);
  EXPECT_EQ(connection.number("SELECT z FROM b"), 3);
  migrate(connection, known);
  EXPECT_EQ(connection.number("SELECT count(*) FROM a"), 1);
  EXPECT_THROW(migrate(connection, std::span(known).first(2)), InputError);
}

TEST(Schema, StaysAsItWasIfAStepFails) {
  const StoreFolder at;
  const std::vector<Migration> known{
      {1, "CREATE TABLE a (x)"}, {2, "CREATE TABLE b (x)"}, {3, "no statement"}};
  const Connection connection(at.path(), Connection::Access::kWrite);
  migrate(connection, std::span(known).first(1));
  EXPECT_ANY_THROW(migrate(connection, known));
  EXPECT_EQ(connection.number("PRAGMA user_version"), 1);
  EXPECT_EQ(connection.number("SELECT count(*) FROM sqlite_master WHERE name = 'b'"), 0);
}

TEST(Schema, HasStepsWithoutGaps) {
  std::int64_t version = 0;
  for (const Migration& step : migrations()) EXPECT_EQ(step.version, ++version);
}

}  // namespace
}  // namespace helixcheck
