#include "store/connection.hpp"

#include <cstring>
#include <fmt/format.h>
#include <new>
#include <sqlite3.h>
#include <stdexcept>

#include "store/statement.hpp"

namespace helixcheck {
namespace fs = std::filesystem;
namespace {

constexpr int kBusyTimeout_ms = 10'000;

// The path as a URI that says that the file does not change.
std::string unchanging_uri(const fs::path& path) {
  std::string uri = "file:";
  for (const char c : path.string()) {
    if (c == '?' || c == '#' || c == '%') {
      uri += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

int open(const fs::path& path, Connection::Access access, sqlite3** handle) {
  switch (access) {
    case Connection::Access::kWrite:
      return sqlite3_open_v2(path.c_str(), handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                             nullptr);
    case Connection::Access::kRead:
      return sqlite3_open_v2(path.c_str(), handle, SQLITE_OPEN_READONLY, nullptr);
    case Connection::Access::kUnchanging: break;
  }
  return sqlite3_open_v2(unchanging_uri(path).c_str(), handle,
                         SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, nullptr);
}

// "disk I/O error (No space left on device)"
std::string reason_of(sqlite3* handle) {
  const int system = sqlite3_system_errno(handle);
  const std::string message = sqlite3_errmsg(handle);
  return system == 0 ? message : fmt::format("{}: {}", message, std::strerror(system));
}

}  // namespace

Connection::Connection(const fs::path& path, Access access) : path_(path) {
  // An absolute path is never taken for ":memory:" or a URI.
  const int code = open(fs::absolute(path), access, &handle_);
  if (handle_ == nullptr) throw std::bad_alloc();
  if (code != SQLITE_OK) {
    const std::string reason = reason_of(handle_);
    sqlite3_close(handle_);
    throw ResourceError(fmt::format("{}: the store cannot be opened ({})", path.string(), reason));
  }
  sqlite3_extended_result_codes(handle_, 1);
  sqlite3_busy_timeout(handle_, kBusyTimeout_ms);
}

Connection::~Connection() {
  sqlite3_close(handle_);
}

void Connection::run(const std::string& statements) const {
  if (sqlite3_exec(handle_, statements.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail();
}

std::int64_t Connection::number(const std::string& query) const {
  Statement statement(*this, query);
  std::int64_t value = 0;
  if (statement.step()) statement.read(value);
  return value;
}

std::string Connection::text(const std::string& query) const {
  Statement statement(*this, query);
  std::string value;
  if (statement.step()) statement.read(value);
  return value;
}

std::int64_t Connection::last_row() const {
  return sqlite3_last_insert_rowid(handle_);
}

bool Connection::in_transaction() const {
  return sqlite3_get_autocommit(handle_) == 0;
}

bool Connection::writable() const {
  return sqlite3_db_readonly(handle_, "main") == 0;
}

void Connection::fail() const {
  const std::string store = path_.string(), reason = reason_of(handle_);
  switch (sqlite3_errcode(handle_) & 0xff) {  // without what extends it
    case SQLITE_NOTADB:
      throw InputError(fmt::format("{}: this is no campaign store: not an SQLite file", store));
    case SQLITE_CORRUPT:
      throw InputError(
          fmt::format("{}: the store is damaged ({}); `sqlite3 FILE .recover` saves what is left",
                      store, reason));
    case SQLITE_FULL:
      throw StoreError(
          fmt::format("{}: the disk is full, so that this change was not stored", store));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      throw StoreError(fmt::format(
          "{}: another process kept the store locked, so that this change was not stored", store));
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_PROTOCOL:
      throw StoreError(fmt::format("{}: the store cannot be read or written ({})", store, reason));
    case SQLITE_ERROR:  // such as a table that is missing
      throw InputError(fmt::format("{}: the store is not as it must be ({})", store, reason));
    case SQLITE_NOMEM: throw std::bad_alloc();
    default: throw std::logic_error(fmt::format("{}: {}", store, reason));
  }
}

}  // namespace helixcheck
