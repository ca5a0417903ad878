// Everything happens at once, on the calling thread.

#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#include "device/memory.hpp"
#include "mla/formats.hpp"

namespace helixcheck {
namespace {

constexpr std::align_val_t kAlignment{256};

class HostMemory final : public Memory {
 public:
  std::string name() const override { return "host"; }
  bool is_host() const override { return true; }
  void* stream() const override { return nullptr; }

  std::byte* allocate(std::size_t bytes) override {
    return static_cast<std::byte*>(::operator new(bytes, kAlignment));
  }
  void release(std::byte* block) noexcept override { ::operator delete(block, kAlignment); }
  std::byte* allocate_host(std::size_t bytes) override { return allocate(bytes); }
  void release_host(std::byte* block) noexcept override { release(block); }

  void upload(void* to, const void* from, std::size_t bytes) override { move(to, from, bytes); }
  void download(void* to, const void* from, std::size_t bytes) override { move(to, from, bytes); }
  void fill(void* to, std::byte value, std::size_t bytes) override {
    std::memset(to, std::to_integer<int>(value), bytes);
  }

  void exchange(const BlockExchange& blocks) override {
    const auto members = static_cast<std::size_t>(blocks.members);
    for (std::size_t rank = 0; rank < blocks.recv.size() && blocks.bytes > 0; ++rank) {
      const std::size_t begin = rank / members * members;
      const std::size_t block = blocks.gather ? 0 : rank - begin;
      auto* to = static_cast<std::byte*>(blocks.recv[rank]);
      for (std::size_t member = 0; member < members; ++member, to += blocks.bytes) {
        const auto* from = static_cast<const std::byte*>(blocks.send[begin + member]);
        std::memcpy(to, from + block * blocks.bytes, blocks.bytes);
      }
    }
  }

  void sum(const BlockSum& blocks) override {
    const auto members = static_cast<std::size_t>(blocks.members);
    const auto dtype = static_cast<Dtype>(blocks.dtype);
    const auto count = static_cast<std::size_t>(blocks.count);
    std::vector<float> total(count), part(count);
    for (std::size_t rank = 0; rank < blocks.recv.size(); ++rank) {
      const std::size_t begin = rank / members * members;
      const std::size_t first = blocks.scatter ? (rank - begin) * count * size_of(dtype) : 0;
      for (std::size_t member = 0; member < members; ++member) {
        const auto* from = static_cast<const std::byte*>(blocks.send[begin + member]) + first;
        decode_to(dtype, from, std::span<float>(member == 0 ? total : part));
        for (std::size_t i = 0; member > 0 && i < count; ++i) total[i] += part[i];
      }
      encode_from(dtype, std::span<const float>(total), blocks.recv[rank]);
    }
  }

  void synchronize() override {}

 private:
  static void move(void* to, const void* from, std::size_t bytes) {
    if (to != from && bytes > 0) std::memcpy(to, from, bytes);
  }
};

}  // namespace

Memory& host_memory() {
  static HostMemory memory;
  return memory;
}

}  // namespace helixcheck
