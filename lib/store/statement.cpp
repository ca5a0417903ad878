#include "store/statement.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <sqlite3.h>

namespace helixcheck {

Statement::Statement(const Connection& connection, std::string_view sql) : connection_(connection) {
  check(sqlite3_prepare_v2(connection.handle(), sql.data(), static_cast<int>(sql.size()),
                           &statement_, nullptr));
}

Statement::~Statement() {
  sqlite3_finalize(statement_);
}

bool Statement::step() {
  column_ = 0;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) connection_.fail();
  parameter_ = 0;
  check(sqlite3_reset(statement_));
  return false;
}

void Statement::run() {
  while (step()) continue;
}

void Statement::check(int code) const {
  if (code != SQLITE_OK) connection_.fail();
}

void Statement::put(std::int64_t value) {
  check(sqlite3_bind_int64(statement_, ++parameter_, value));
}

void Statement::put(double value) {
  check(sqlite3_bind_double(statement_, ++parameter_, value));
}

void Statement::put(const std::string& value) {
  check(sqlite3_bind_text64(statement_, ++parameter_, value.data(), value.size(), SQLITE_STATIC,
                            SQLITE_UTF8));
}

void Statement::put(const std::vector<std::string>& value) {
  const std::string joined = fmt::format("{}", fmt::join(value, ","));
  check(sqlite3_bind_text64(statement_, ++parameter_, joined.data(), joined.size(),
                            SQLITE_TRANSIENT, SQLITE_UTF8));
}

void Statement::put(const std::vector<std::uint8_t>& value) {
  // A null pointer would be NULL, not an empty blob.
  const void* data = value.empty() ? static_cast<const void*>("") : value.data();
  check(sqlite3_bind_blob64(statement_, ++parameter_, data, value.size(), SQLITE_STATIC));
}

void Statement::get(std::int64_t& value) {
  value = sqlite3_column_int64(statement_, column_++);
}

void Statement::get(std::uint64_t& value) {
  value = static_cast<std::uint64_t>(sqlite3_column_int64(statement_, column_++));
}

void Statement::get(int& value) {
  value = sqlite3_column_int(statement_, column_++);
}

void Statement::get(bool& value) {
  value = sqlite3_column_int(statement_, column_++) != 0;
}

void Statement::get(double& value) {
  value = sqlite3_column_type(statement_, column_) == SQLITE_NULL
              ? std::numeric_limits<double>::quiet_NaN()
              : sqlite3_column_double(statement_, column_);
  ++column_;
}

void Statement::get(std::string& value) {
  const unsigned char* text = sqlite3_column_text(statement_, column_);
  const int bytes = sqlite3_column_bytes(statement_, column_++);
  value.assign(reinterpret_cast<const char*>(text), text == nullptr ? 0 : bytes);
}

void Statement::get(std::vector<std::string>& value) {
  std::string joined;
  get(joined);
  value.clear();
  for (std::size_t begin = 0; begin < joined.size();) {
    const std::size_t end = std::min(joined.find(',', begin), joined.size());
    value.push_back(joined.substr(begin, end - begin));
    begin = end + 1;
  }
}

void Statement::get(std::vector<std::uint8_t>& value) {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column_));
  const int bytes = sqlite3_column_bytes(statement_, column_++);
  value.assign(data, data + (data == nullptr ? 0 : bytes));
}

}  // namespace helixcheck
