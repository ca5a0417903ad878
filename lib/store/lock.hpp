// The right to write a store: one process at a time, over its whole life, on one machine or on
// several that share the file system.

#pragma once

#include <filesystem>

namespace helixcheck {

// Holds a lock on STORE.lock, a file beside the store that says who holds it. The kernel drops the
// lock when the process ends, however it ends; processes that it has started do not keep it.
class StoreLock {
 public:
  // Throws ResourceError if another process holds it, naming that one, or if the file cannot be
  // written.
  explicit StoreLock(const std::filesystem::path& store);
  ~StoreLock();
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;

 private:
  std::filesystem::path file_;
  int descriptor_ = -1;
};

}  // namespace helixcheck
