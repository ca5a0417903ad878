// One SQLite connection. Result codes of the library become the three errors of this room: bad
// input, a machine that lacks something, and a change that can be tried again.

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "scenario/error.hpp"

struct sqlite3;

namespace helixcheck {

// A change could not be written, as when the disk is full. The store holds what it held before, and
// the same change may be tried again later.
struct StoreError : ResourceError {
  using ResourceError::ResourceError;
};

class Connection {
 public:
  enum class Access {
    kWrite,      // made if it is missing
    kRead,       // beside a writer
    kUnchanging  // of a file that nobody can write; no lock is taken
  };

  // Throws ResourceError if the file cannot be opened. What the file is shows at its first use.
  Connection(const std::filesystem::path& path, Access access);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  const std::filesystem::path& path() const { return path_; }
  sqlite3* handle() const { return handle_; }

  // Runs statements without parameters and passes over their rows.
  void run(const std::string& statements) const;
  // The first column of the first row.
  std::int64_t number(const std::string& query) const;
  std::string text(const std::string& query) const;

  std::int64_t last_row() const;
  bool in_transaction() const;
  bool writable() const;

  // Throws what the last result code means.
  [[noreturn]] void fail() const;

 private:
  std::filesystem::path path_;
  sqlite3* handle_ = nullptr;
};

}  // namespace helixcheck
