// Values keep their bits on the way into SQLite and back.

#include "store/statement.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "sample_records.hpp"

namespace helixcheck {
namespace {

template <typename T>
T there_and_back(const T& value) {
  const StoreFolder at;
  const Connection connection(at.path(), Connection::Access::kWrite);
  connection.run("PRAGMA synchronous = OFF; CREATE TABLE t (v)");
  Statement(connection, "INSERT INTO t VALUES (?)").bind(value).run();
  Statement query(connection, "SELECT v FROM t");
  EXPECT_TRUE(query.step());
  T back{};
  query.read(back);
  EXPECT_FALSE(query.step());
  return back;
}

template <typename T>
void expect_kept(const std::vector<T>& values) {
  for (const T& value : values) EXPECT_EQ(there_and_back(value), value);
}

TEST(Statement, KeepsValues) {
  using Limits = std::numeric_limits<std::int64_t>;
  expect_kept<std::int64_t>({0, -1, Limits::min(), Limits::max()});
  expect_kept<std::uint64_t>({0, std::uint64_t{1} << 63, ~std::uint64_t{0}});
  expect_kept<int>({0, -60, std::numeric_limits<int>::min()});
  EXPECT_TRUE(there_and_back(true));
  EXPECT_FALSE(there_and_back(false));
  expect_kept<double>({0, 0.1, -1e308, 5e-324, std::numeric_limits<double>::infinity()});
  EXPECT_TRUE(std::isnan(there_and_back(std::nan(""))));
  expect_kept<std::string>({"", "text", std::string("a\0b", 3), "\xff\xfe", "'; DROP TABLE t"});
  expect_kept<std::vector<std::string>>({{}, {"one"}, {"one", "two", "three"}});
  expect_kept<std::vector<std::uint8_t>>({{}, {0}, {255, 0, 1}});
}

TEST(Statement, RunsAgainWithOtherValues) {
  const StoreFolder at;
  const Connection connection(at.path(), Connection::Access::kWrite);
  connection.run("PRAGMA synchronous = OFF; CREATE TABLE t (a, b)");
  Statement add(connection, "INSERT INTO t VALUES (?, ?)");
  for (const std::int64_t i : {1, 2, 3}) add.bind(i, i * i).run();
  EXPECT_EQ(connection.number("SELECT sum(b) FROM t"), 14);
  Statement query(connection, "SELECT a, b FROM t WHERE a > ? ORDER BY a");
  std::int64_t a = 0, b = 0;
  query.bind(std::int64_t{1});
  ASSERT_TRUE(query.step());
  query.read(a, b);
  ASSERT_TRUE(query.step());
  query.read(a, b);
  EXPECT_EQ(a * 10 + b, 39);
  EXPECT_FALSE(query.step());
}

}  // namespace
}  // namespace helixcheck
