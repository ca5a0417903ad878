// Memory of the subject's own, from caches that live as long as the thread: instances come and go
// with every scenario.

#pragma once

#include <cstddef>
#include <utility>

#include "kernels/memory/block_cache.hpp"

namespace helixcheck::cuda {

BlockCache& device_blocks();  // of this thread
BlockCache& pinned_blocks();

template <BlockCache& (*cache)()>
class CachedBlock {
 public:
  CachedBlock() = default;
  explicit CachedBlock(std::size_t bytes) : data_(cache().take(bytes)) {}
  CachedBlock(CachedBlock&& other) noexcept : data_(std::exchange(other.data_, nullptr)) {}
  CachedBlock& operator=(CachedBlock&& other) noexcept {
    std::swap(data_, other.data_);
    return *this;
  }
  ~CachedBlock() {
    if (data_ != nullptr) cache().give_back(data_);
  }
  std::byte* data() const { return data_; }

 private:
  std::byte* data_ = nullptr;
};

using DeviceBlock = CachedBlock<device_blocks>;
using PinnedBlock = CachedBlock<pinned_blocks>;

}  // namespace helixcheck::cuda
