// Scaled multiplication instead of a remainder: no bias worth the name and no division.

#include "generate/choices.hpp"

#include <bit>

#include "generate/philox.hpp"

namespace helixcheck {
namespace {

__extension__ typedef unsigned __int128 Wide;

}  // namespace

std::int64_t Choices::log_between(std::int64_t low, std::int64_t high) {
  assert(0 < low && low <= high);
  const int first = std::bit_width(static_cast<std::uint64_t>(low)) - 1;
  const int last = std::bit_width(static_cast<std::uint64_t>(high)) - 1;
  const auto octave = between(first, last);
  const std::int64_t bottom = octave == first ? low : std::int64_t{1} << octave;
  const std::int64_t top = octave == last ? high : (std::int64_t{2} << octave) - 1;
  return between(bottom, top);
}

CounterChoices::CounterChoices(std::uint64_t seed, std::uint64_t index, std::uint32_t lane)
    : seed_(seed), index_(index), lane_(lane) {}

std::uint32_t CounterChoices::next_word() {
  if (used_ % 4 == 0) {
    block_ = philox4x32_10({used_ / 4, lane_, static_cast<std::uint32_t>(index_),
                            static_cast<std::uint32_t>(index_ >> 32)},
                           seed_);
  }
  return block_[used_++ % 4];
}

std::uint64_t CounterChoices::below(std::uint64_t limit) {
  assert(limit >= 1);
  if (limit == 1) return 0;
  if (limit <= 0xffffffffu) return (std::uint64_t{next_word()} * limit) >> 32;
  const std::uint64_t high = next_word();
  return static_cast<std::uint64_t>((Wide{(high << 32) | next_word()} * limit) >> 64);
}

std::uint64_t ByteChoices::below(std::uint64_t limit) {
  assert(limit >= 1);
  std::uint64_t value = 0;
  for (std::uint64_t most = limit - 1; most > 0; most >>= 8) {
    const std::uint8_t byte = bytes_.empty() ? 0 : bytes_.front();
    if (!bytes_.empty()) bytes_ = bytes_.subspan(1);
    value = value << 8 | byte;
  }
  return value % limit;
}

}  // namespace helixcheck
