// Device memory of the fp64 reference: buffers that grow and are used again, copies to and from
// them, and what is kept of the weights from call to call.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cuda_runtime.h>
#include <map>
#include <span>
#include <utility>

#include "device/memory.hpp"
#include "kernels/check.hpp"

namespace helixcheck::cuda {

inline cudaStream_t stream_of(const Memory& memory) {
  return static_cast<cudaStream_t>(memory.stream());
}

// Pageable memory of the host may be the other side: the copy is done, or the bytes are taken, only
// after the stream was synchronised.
template <typename T>
void copy_in(Memory& memory, T* to, std::span<const T> from) {
  if (from.empty()) return;
  HXC_CHECK(cudaMemcpyAsync(to, from.data(), from.size_bytes(), cudaMemcpyHostToDevice,
                            stream_of(memory)));
}
template <typename T>
void copy_out(Memory& memory, std::span<T> to, const T* from) {
  if (to.empty()) return;
  HXC_CHECK(
      cudaMemcpyAsync(to.data(), from, to.size_bytes(), cudaMemcpyDeviceToHost, stream_of(memory)));
}

// Elements of one type, as many as were ever asked for at once. Not initialised.
template <typename T>
class Buffer {
 public:
  explicit Buffer(Memory& memory) : memory_(memory) {}

  T* sized(std::int64_t n) {
    const auto bytes = static_cast<std::size_t>(n) * sizeof(T);
    if (block_.size() < bytes) {
      memory_.synchronize();  // the old block may be in use
      block_ = {};
      block_ = Block(memory_, bytes);
    }
    return data();
  }
  T* data() const { return reinterpret_cast<T*>(block_.data()); }

  // Gives back what is larger than `bytes`.
  void shrink(std::size_t bytes) {
    if (block_.size() > bytes) block_ = {};
  }

 private:
  Memory& memory_;
  Block block_;
};

// Copies of arrays of the host by address and size, valid until `forget`.
class Kept {
 public:
  explicit Kept(Memory& memory) : memory_(memory) {}

  const void* bytes(const void* host, std::size_t size) {
    Block& block = blocks_[{host, size}];
    if (block.data() == nullptr && size > 0) {
      block = Block(memory_, size);
      copy_in(memory_, block.data(), std::span(static_cast<const std::byte*>(host), size));
    }
    return block.data();
  }
  template <typename T>
  const T* array(std::span<const T> host) {
    return static_cast<const T*>(bytes(host.data(), host.size_bytes()));
  }

  void forget() { blocks_.clear(); }

 private:
  Memory& memory_;
  std::map<std::pair<const void*, std::size_t>, Block> blocks_;
};

}  // namespace helixcheck::cuda
