// Pools lie one after the other.

#include "helix/cache_pools.hpp"

#include <algorithm>

#include "helix/paged_cache.hpp"

namespace helixcheck {
namespace {

constexpr std::size_t kAlignment = 256;
constexpr std::size_t kOnePiece = std::size_t{256} << 10;

}  // namespace

CachePools::CachePools(Memory& memory, const std::vector<std::size_t>& bytes) : memory_(memory) {
  if (memory.is_host()) return;
  std::size_t end = 0;
  for (const std::size_t pool : bytes) {
    offsets_.push_back(end);
    end += (pool + kAlignment - 1) / kAlignment * kAlignment;
  }
  device_ = Block(memory, end);
  mirror_ = Block(memory, end, Block::Side::host);
}

PoolPlace CachePools::place(std::size_t rank) const {
  if (memory_.is_host()) return {};
  return {&memory_, device_.data() + offsets_[rank], mirror_.data() + offsets_[rank]};
}

bool CachePools::in_one_piece() const {
  return device_.size() <= kOnePiece;
}

bool CachePools::ahead() const {
  return std::any_of(caches_.begin(), caches_.end(),
                     [](const PagedCache* cache) { return cache->ahead(); });
}

void CachePools::upload() {
  if (memory_.is_host() || !ahead()) return;
  if (!in_one_piece()) {
    for (PagedCache* cache : caches_) cache->upload();
    return;
  }
  memory_.upload(device_.data(), mirror_.data(), device_.size());
  for (PagedCache* cache : caches_) cache->forget_changes();
}

void CachePools::download() {
  if (memory_.is_host()) return;
  if (in_one_piece()) return memory_.download(mirror_.data(), device_.data(), device_.size());
  for (PagedCache* cache : caches_) cache->download();
}

}  // namespace helixcheck
