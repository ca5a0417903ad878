// Blocks of device or pinned host memory, kept by size after their release. A cache serves the
// thread that made it; one that runs out of memory takes what the others of its thread keep.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

namespace helixcheck::cuda {

class BlockCache {
 public:
  enum class Kind { device, pinned };
  explicit BlockCache(Kind kind);
  ~BlockCache();
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;

  // Throws ResourceError naming wanted and free bytes.
  std::byte* take(std::size_t bytes);
  void give_back(std::byte* block) noexcept;
  // Of all caches of the calling thread.
  static std::int64_t spare_device_bytes();

 private:
  std::byte* request(std::size_t bytes) const;  // null: out of memory
  void drop_spare() noexcept;

  Kind kind_;
  std::multimap<std::size_t, std::byte*> spare_;  // by size
  std::unordered_map<std::byte*, std::size_t> size_;
};

}  // namespace helixcheck::cuda
