// Device memory for the cache pools of all ranks of a process, with the mirrors that the harness
// works on: small pools move in one piece.

#pragma once

#include <cstddef>
#include <vector>

#include "device/memory.hpp"

namespace helixcheck {

class PagedCache;

// Where a rank's pool lies. On the host: nowhere, the cache has memory of its own.
struct PoolPlace {
  Memory* memory = nullptr;
  std::byte* device = nullptr;
  std::byte* mirror = nullptr;
};

class CachePools {
 public:
  // `bytes`: of each rank's pool. Nothing is allocated for host memory.
  CachePools(Memory& memory, const std::vector<std::size_t>& bytes);

  PoolPlace place(std::size_t rank) const;
  void add(PagedCache& cache) { caches_.push_back(&cache); }

  // The harness changed something that is not up yet.
  bool ahead() const;
  // In stream order: what the harness changed since the last call goes up; all pools come down.
  void upload();
  void download();
  bool in_one_piece() const;  // always on the host, where nothing moves

 private:
  Memory& memory_;
  std::vector<std::size_t> offsets_;
  Block device_, mirror_;
  std::vector<PagedCache*> caches_;
};

}  // namespace helixcheck
