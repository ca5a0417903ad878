// Where the tensors of a subject lie, and the order of work on them.
//
// Host memory does everything at once. Device memory works in stream order: an upload, a fill or a
// copy may return before it is done, and a download is there only after `synchronize`. A buffer on
// the host that takes part must come from `allocate_host` and stay as it is until then.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "scenario/error.hpp"

namespace helixcheck {

// Work on the device broke something (an address outside its memory, say). The device is lost to
// this process: nothing that runs on it from now on means anything.
struct DeviceFault : SubjectError {
  using SubjectError::SubjectError;
};

// A collective between ranks of one process, as moves in memory: recv[r] block p = a block of
// send[first rank of r's group + p], the one for r (all_to_all) or its only one (`gather`).
// Groups are runs of `members` consecutive ranks.
struct BlockExchange {
  std::span<const void* const> send;
  std::span<void* const> recv;
  int members = 1;
  std::size_t bytes = 0;  // of a block
  bool gather = false;
};

// recv[r] block = sum over the ranks of r's group, in rank order, in fp32 with one rounding, of
// their values: all of them, or (`scatter`) the part of `count` values that is r's.
struct BlockSum {
  std::span<const void* const> send;
  std::span<void* const> recv;
  int members = 1;
  std::int64_t count = 0;  // values of a result
  std::int32_t dtype = 0;  // hxc_dtype
  bool scatter = false;
};

// Rows of codes that are drawn from counters: row i holds U[-1, 1) of the Philox stream (tensor,
// request, first_draw + i), as generate/draw.hpp makes it on the host.
struct UniformRows {
  std::uint64_t seed = 0;
  std::uint32_t tensor = 0;
  std::int64_t request = 0, first_draw = 0;
  std::int64_t rows = 0, width = 0;
  std::int32_t dtype = 0;  // hxc_dtype
};

// A sequence of device work that was recorded once and can be run again.
class RecordedWork {
 public:
  virtual ~RecordedWork() = default;
  virtual void run() = 0;  // in stream order
};

class Memory {
 public:
  Memory() = default;
  virtual ~Memory() = default;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  virtual std::string name() const = 0;  // "host", "cuda:0 (NVIDIA H100 80GB HBM3)"
  virtual bool is_host() const = 0;      // its addresses are the host's own
  virtual void* stream() const = 0;      // a cudaStream_t; null on the host

  // Uninitialised, aligned to 256 bytes. Throws ResourceError naming wanted and free bytes.
  virtual std::byte* allocate(std::size_t bytes) = 0;
  virtual void release(std::byte* block) noexcept = 0;
  // Kept after their release, for the calling thread's next blocks.
  virtual std::int64_t spare_bytes() const { return 0; }
  // Of the host, for transfers.
  virtual std::byte* allocate_host(std::size_t bytes) = 0;
  virtual void release_host(std::byte* block) noexcept = 0;

  virtual void upload(void* to, const void* from, std::size_t bytes) = 0;
  virtual void download(void* to, const void* from, std::size_t bytes) = 0;
  virtual void fill(void* to, std::byte value, std::size_t bytes) = 0;
  virtual void exchange(const BlockExchange& blocks) = 0;
  virtual void sum(const BlockSum& blocks) = 0;
  // Makes dense rows, if any, where they are needed, in stream order. False: this memory cannot.
  virtual bool draw(void* to, const UniformRows& rows) {
    (void)to;
    (void)rows;
    return false;
  }
  virtual void synchronize() = 0;

  // After a fault: nothing can be done with it any more.
  virtual bool lost() const { return false; }

  // Records what the calls between the two would do instead of doing it; null where that is not
  // possible (host memory): then it was done.
  virtual void begin_recording() {}
  virtual std::unique_ptr<RecordedWork> end_recording() { return nullptr; }
};

Memory& host_memory();

// Records what `work` enqueues. A recording that `work` leaves by an exception is closed.
template <typename Work>
std::unique_ptr<RecordedWork> record_work(Memory& memory, Work work) {
  memory.begin_recording();
  try {
    work();
  } catch (...) {
    try {
      memory.end_recording();
    } catch (const std::exception&) {  // the first error is the one to tell
    }
    throw;
  }
  return memory.end_recording();
}

// A block of a memory, released at the end.
class Block {
 public:
  enum class Side { memory, host };
  Block() = default;
  Block(Memory& memory, std::size_t bytes, Side side = Side::memory)
      : memory_(&memory),
        data_(side == Side::memory ? memory.allocate(bytes) : memory.allocate_host(bytes)),
        size_(bytes),
        side_(side) {}
  Block(Block&& other) noexcept { swap(other); }
  Block& operator=(Block&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Block() {
    if (data_ == nullptr) return;
    if (side_ == Side::memory) {
      memory_->release(data_);
    } else {
      memory_->release_host(data_);
    }
  }
  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  void swap(Block& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(side_, other.side_);
  }
  Memory* memory_ = nullptr;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  Side side_ = Side::memory;
};

}  // namespace helixcheck
