// Sizes are rounded up to a quarter of a power of two, so that cases of about one size share
// blocks.

#include "kernels/memory/block_cache.hpp"

#include <algorithm>
#include <bit>

#include "kernels/check.hpp"
#include "kernels/memory/recording_gate.hpp"

namespace helixcheck::cuda {
namespace {

constexpr std::size_t kSmallest = 1024;

std::size_t rounded(std::size_t bytes) {
  const std::size_t wanted = std::max(bytes, kSmallest);
  const std::size_t step = std::bit_floor(wanted) / 4;
  return (wanted + step - 1) / step * step;
}

std::vector<BlockCache*>& caches_of_thread() {
  thread_local std::vector<BlockCache*> caches;
  return caches;
}

}  // namespace

BlockCache::BlockCache(Kind kind) : kind_(kind) {
  caches_of_thread().push_back(this);
}

BlockCache::~BlockCache() {
  std::erase(caches_of_thread(), this);
  drop_spare();
}

std::int64_t BlockCache::spare_device_bytes() {
  std::size_t bytes = 0;
  for (const BlockCache* cache : caches_of_thread()) {
    if (cache->kind_ != Kind::device) continue;
    for (const auto& [size, block] : cache->spare_) bytes += size;
  }
  return static_cast<std::int64_t>(bytes);
}

std::byte* BlockCache::take(std::size_t bytes) {
  const std::size_t size = rounded(bytes);
  const auto found = spare_.find(size);
  if (found != spare_.end()) {
    std::byte* block = found->second;
    spare_.erase(found);
    return block;
  }
  std::byte* block = request(size);
  if (block == nullptr) {
    for (BlockCache* cache : caches_of_thread()) {
      if (cache->kind_ == kind_) cache->drop_spare();
    }
    block = request(size);
  }
  if (block == nullptr) {
    std::size_t free = 0, total = 0;
    cudaMemGetInfo(&free, &total);
    fail("wanted " + std::to_string(size >> 20) + " MiB, the device has " +
             std::to_string(free >> 20) + " MiB free",
         true, {kind_ == Kind::device ? "cudaMalloc" : "cudaMallocHost", __FILE__, __LINE__});
  }
  size_[block] = size;
  return block;
}

void BlockCache::give_back(std::byte* block) noexcept {
  const auto found = size_.find(block);
  if (found != size_.end()) spare_.emplace(found->second, block);
}

std::byte* BlockCache::request(std::size_t bytes) const {
  const DeviceWideCall alone;
  void* block = nullptr;
  const cudaError_t result =
      kind_ == Kind::device ? cudaMalloc(&block, bytes) : cudaMallocHost(&block, bytes);
  if (result == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // nothing is broken
    return nullptr;
  }
  HXC_CHECK(result);
  return static_cast<std::byte*>(block);
}

void BlockCache::drop_spare() noexcept {
  const DeviceWideCall alone;
  for (const auto& [size, block] : spare_) {
    size_.erase(block);
    if (kind_ == Kind::device) {
      cudaFree(block);
    } else {
      cudaFreeHost(block);
    }
  }
  spare_.clear();
}

}  // namespace helixcheck::cuda
