// The memory of every tap, and of the hidden states, for the ranks of one process: where the
// subject sees it, and where the harness does. On the host that is one place; on a device the
// harness has a mirror, and what it wrote goes up, what the subject wrote comes down, a whole stage
// at a time.

#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <vector>

#include "device/memory.hpp"
#include "helix/taps.hpp"

namespace helixcheck {

class TapBuffers {
 public:
  // Taps by their number; hidden states come after the last.
  static constexpr std::size_t kHidden = kTapCount;
  static constexpr std::size_t kSlots = kTapCount + 1;

  // The memory must outlive the object.
  TapBuffers(Memory& memory, std::size_t ranks);

  // Before `allocate`: the slot will hold up to `bytes`. After it: the slot now holds `bytes`, all
  // of them poison.
  void size(std::size_t rank, std::size_t slot, std::size_t bytes);
  void allocate();
  bool allocated() const { return allocated_; }
  // A step begins: nothing is in use. `hidden_is_made`: the device makes the hidden states itself.
  void begin_step(bool hidden_is_made = false);

  std::byte* subject_address(std::size_t rank, std::size_t slot) const;
  std::byte* host_address(std::size_t rank, std::size_t slot) const;

  // In stream order. What `size` said of the step's slots is moved, for all ranks.
  void upload(std::initializer_list<std::size_t> slots);
  void download(Stage stage);

 private:
  struct Slot {
    std::size_t offset = 0, reserved = 0, used = 0;
  };
  Slot& at(std::size_t rank, std::size_t slot) { return slots_[slot * ranks_ + rank]; }
  const Slot& at(std::size_t rank, std::size_t slot) const { return slots_[slot * ranks_ + rank]; }
  template <typename Move>
  void move(std::size_t first_slot, std::size_t last_slot, Move move_bytes);

  Memory& memory_;
  std::size_t ranks_;
  bool allocated_ = false;
  bool hidden_is_made_ = false;
  std::vector<Slot> slots_;                  // [kSlots, ranks], which is also their order in memory
  std::vector<std::vector<std::byte>> own_;  // host memory: each slot alone, as sanitizers like it
  Block device_, mirror_;
};

}  // namespace helixcheck
