// Philox4x32-10 and its uniform values as generate/philox.hpp defines them, to the bit.

#pragma once

#include <cstdint>
#include <cuda_runtime.h>

namespace helixcheck::cuda {

// Ten rounds over a 128-bit counter with a 64-bit key (its low word first).
__device__ inline uint4 philox4x32_10(uint4 x, std::uint64_t key) {
  constexpr std::uint32_t kMultiplier0 = 0xd2511f53, kMultiplier1 = 0xcd9e8d57;
  constexpr std::uint32_t kWeyl0 = 0x9e3779b9, kWeyl1 = 0xbb67ae85;
  auto key0 = static_cast<std::uint32_t>(key);
  auto key1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint32_t high0 = __umulhi(kMultiplier0, x.x), low0 = kMultiplier0 * x.x;
    const std::uint32_t high1 = __umulhi(kMultiplier1, x.z), low1 = kMultiplier1 * x.z;
    x = make_uint4(high1 ^ x.y ^ key0, low1, high0 ^ x.w ^ key1, low0);
    key0 += kWeyl0;
    key1 += kWeyl1;
  }
  return x;
}

// A word as an exact multiple of 2^-23 in [-1, 1).
__device__ inline float unit_interval(std::uint32_t word) {
  return static_cast<float>(word >> 8) * 0x1p-23f - 1.0f;
}

}  // namespace helixcheck::cuda
