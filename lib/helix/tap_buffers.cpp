// On a device all slots lie in one block, in pipeline order, so that the few bytes of a small case
// move in one piece.

#include "helix/tap_buffers.hpp"

#include <algorithm>

namespace helixcheck {
namespace {

// Integers that no plan can produce, and floats that are NaN in every format.
constexpr std::byte kIntegerPoison{0x55};
constexpr std::byte kFloatPoison{0xff};

constexpr std::size_t kAlignment = 256;
constexpr std::size_t kOnePiece = std::size_t{128} << 10;  // moved whole, gaps and all

// What the harness writes some of and uploads: the rest of it must be poison, too.
bool may_be_input(std::size_t slot) {
  if (slot == TapBuffers::kHidden) return true;
  const auto tap = static_cast<Tap>(slot);
  return tap == Tap::block_table || tap == Tap::position || tap == Tap::slot || tap == Tap::q ||
         tap == Tap::latent || tap == Tap::exchanged || tap == Tap::exchanged_lse;
}

std::byte poison_of(std::size_t slot) {
  const bool integers = slot < kTapCount && stage_of(static_cast<Tap>(slot)) == Stage::plan;
  return integers ? kIntegerPoison : kFloatPoison;
}

}  // namespace

TapBuffers::TapBuffers(Memory& memory, std::size_t ranks)
    : memory_(memory), ranks_(ranks), slots_(kSlots * ranks) {}

void TapBuffers::size(std::size_t rank, std::size_t slot, std::size_t bytes) {
  Slot& s = at(rank, slot);
  if (!allocated_) {
    s.reserved = std::max(s.reserved, bytes);
    return;
  }
  s.used = bytes;
  if (slot == kHidden && hidden_is_made_) return;
  if (memory_.is_host() || may_be_input(slot)) {
    // What moves in one piece takes the rest of its room along.
    const bool whole = !memory_.is_host() && s.reserved <= kOnePiece;
    std::fill_n(host_address(rank, slot), whole ? s.reserved : bytes, poison_of(slot));
  }
}

void TapBuffers::allocate() {
  allocated_ = true;
  if (memory_.is_host()) {
    own_.resize(slots_.size());
    for (std::size_t i = 0; i < slots_.size(); ++i) own_[i].resize(slots_[i].reserved);
    return;
  }
  std::size_t end = 0;
  for (Slot& s : slots_) {
    s.offset = end;
    end += (s.reserved + kAlignment - 1) / kAlignment * kAlignment;
  }
  device_ = Block(memory_, end);
  mirror_ = Block(memory_, end, Block::Side::host);
}

void TapBuffers::begin_step(bool hidden_is_made) {
  hidden_is_made_ = hidden_is_made;
  for (Slot& s : slots_) s.used = 0;
  if (memory_.is_host() || !allocated_) return;
  const std::size_t floats = at(0, static_cast<std::size_t>(Tap::q_a)).offset;
  memory_.fill(device_.data(), kIntegerPoison, floats);
  memory_.fill(device_.data() + floats, kFloatPoison, device_.size() - floats);
}

std::byte* TapBuffers::subject_address(std::size_t rank, std::size_t slot) const {
  if (!allocated_) return nullptr;
  if (memory_.is_host()) return host_address(rank, slot);
  return device_.data() + at(rank, slot).offset;
}

std::byte* TapBuffers::host_address(std::size_t rank, std::size_t slot) const {
  if (!allocated_) return nullptr;
  // The mirror only reads and writes through the pointer: the object itself does not change.
  if (memory_.is_host()) return const_cast<std::byte*>(own_[slot * ranks_ + rank].data());
  return mirror_.data() + at(rank, slot).offset;
}

// Of all ranks, the slots first .. last, as one piece where that is small.
template <typename Move>
void TapBuffers::move(std::size_t first_slot, std::size_t last_slot, Move move_bytes) {
  const std::size_t begin = first_slot * ranks_, end = (last_slot + 1) * ranks_;
  std::size_t first = slots_.size(), last = 0;
  for (std::size_t i = begin; i < end; ++i) {
    if (slots_[i].used == 0) continue;
    first = std::min(first, i);
    last = i;
  }
  if (first > last) return;
  const std::size_t span = slots_[last].offset + slots_[last].used - slots_[first].offset;
  if (span <= kOnePiece) return move_bytes(slots_[first].offset, span);
  for (std::size_t i = first; i <= last; ++i) {
    if (slots_[i].used > 0) move_bytes(slots_[i].offset, slots_[i].used);
  }
}

void TapBuffers::upload(std::initializer_list<std::size_t> slots) {
  if (memory_.is_host()) return;
  for (const std::size_t slot : slots) {
    move(slot, slot, [&](std::size_t offset, std::size_t bytes) {
      memory_.upload(device_.data() + offset, mirror_.data() + offset, bytes);
    });
  }
}

void TapBuffers::download(Stage stage) {
  if (memory_.is_host()) return;
  std::size_t first = kSlots, last = 0;
  for (std::size_t slot = 0; slot < kTapCount; ++slot) {
    if (stage_of(static_cast<Tap>(slot)) != stage || static_cast<Tap>(slot) == Tap::block_table) {
      continue;
    }
    first = std::min(first, slot);
    last = slot;
  }
  if (first > last) return;
  move(first, last, [&](std::size_t offset, std::size_t bytes) {
    memory_.download(mirror_.data() + offset, device_.data() + offset, bytes);
  });
}

}  // namespace helixcheck
