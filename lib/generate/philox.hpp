// Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11):
// a counter-based generator, so that any element of any tensor can be made alone.

#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace helixcheck {

using PhiloxBlock = std::array<std::uint32_t, 4>;

// Ten rounds over a 128-bit counter with a 64-bit key (key[0] = low word).
PhiloxBlock philox4x32_10(PhiloxBlock counter, std::uint64_t key);

// Words `begin` .. `begin + out.size()` of a row: word d comes from counter (d / 4, token, row,
// tensor), element d % 4. A shorter row or another begin moves no value.
void philox_row(std::uint64_t key, std::uint32_t tensor, std::uint32_t row, std::uint32_t token,
                std::uint32_t begin, std::span<std::uint32_t> out);

// A word as an exact multiple of 2^-23 in [-1, 1): (word >> 8) * 2^-23 - 1.
inline double unit_interval(std::uint32_t word) {
  return static_cast<double>(word >> 8) * 0x1p-23 - 1.0;
}

}  // namespace helixcheck
