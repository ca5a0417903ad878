// The formats as types: conversions between numbers and codes, one value at a time. One description
// of each (exponent bits, mantissa bits, infinity or not) generates them, written without branches
// so that compilers vectorise array loops: exponents are re-based and mantissas rounded as
// integers; subnormals come from adding a power of two whose ulp is their spacing. Assumes
// round-to-nearest and subnormals that are not flushed, C++'s defaults.
//
// Everything is constexpr, which lets CUDA device code use it too. See formats.hpp for the rules.

#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "scenario/scenario.hpp"

namespace helixcheck::codes {

// The IEEE format a conversion starts from or ends in.
template <typename Float>
struct Native;

template <>
struct Native<float> {
  using Bits = std::uint32_t;
  static constexpr int kMantissa = 23;
  static constexpr int kBias = 127;
};

template <>
struct Native<double> {
  using Bits = std::uint64_t;
  static constexpr int kMantissa = 52;
  static constexpr int kBias = 1023;
};

// 2^exponent; the exponent must be that of a normal value.
template <typename Float>
constexpr Float power_of_two(int exponent) {
  using N = Native<Float>;
  return std::bit_cast<Float>(static_cast<typename N::Bits>(exponent + N::kBias) << N::kMantissa);
}

template <typename CodeType, int exponent_bits, int mantissa_bits, bool has_infinity>
struct SmallFormat {
  using Code = CodeType;
  static constexpr int kBias = (1 << (exponent_bits - 1)) - 1;
  static constexpr int kMinExponent = 1 - kBias;  // of normal values
  static constexpr int kMantissa = mantissa_bits;
  static constexpr std::uint32_t kSign = 1u << (exponent_bits + mantissa_bits);
  static constexpr std::uint32_t kInfinity = kSign - (1u << mantissa_bits);  // if it has one
  static constexpr std::uint32_t kNan = kSign - (has_infinity ? 1u << (mantissa_bits - 1) : 1u);
  static constexpr std::uint32_t kMaxFinite = has_infinity ? kInfinity - 1 : kNan - 1;
  static constexpr std::uint32_t kOverflow = has_infinity ? kInfinity : kMaxFinite;

  template <typename Float>
  static constexpr Code encode(Float x) {
    using From = Native<Float>;
    using Bits = typename From::Bits;
    constexpr int drop = From::kMantissa - mantissa_bits;  // low mantissa bits to round away
    constexpr Bits rebase = static_cast<Bits>(From::kBias - kBias) << mantissa_bits;
    constexpr Bits infinity = static_cast<Bits>(2 * From::kBias + 1) << From::kMantissa;
    constexpr Float min_normal = power_of_two<Float>(kMinExponent);
    constexpr Float aligner = power_of_two<Float>(kMinExponent + drop);  // ulp = min subnormal

    const Bits bits = std::bit_cast<Bits>(x);
    const Bits magnitude = bits & (~Bits{0} >> 1);
    const Bits to_even = (Bits{1} << (drop - 1)) - 1 + ((magnitude >> drop) & 1);
    const Bits normal = std::min<Bits>(((magnitude + to_even) >> drop) - rebase, Bits{kOverflow});
    const Bits subnormal = std::bit_cast<Bits>(std::bit_cast<Float>(magnitude) + aligner) -
                           std::bit_cast<Bits>(aligner);
    const Bits code = magnitude < std::bit_cast<Bits>(min_normal) ? subnormal : normal;
    const Bits sign = bits == magnitude ? Bits{0} : Bits{kSign};
    return static_cast<Code>(magnitude > infinity ? Bits{kNan} : code | sign);
  }

  static constexpr float decode(std::uint32_t code) {
    constexpr int shift = Native<float>::kMantissa - mantissa_bits;
    if constexpr (kBias == Native<float>::kBias) {  // bf16: a float without its low half
      return std::bit_cast<float>(code << shift);
    } else {
      constexpr auto rebase = static_cast<std::uint32_t>(Native<float>::kBias - kBias) << 23;
      const std::uint32_t magnitude = code & (kSign - 1);
      const std::uint32_t normal = (magnitude << shift) + rebase;
      const float subnormal = static_cast<float>(static_cast<std::int32_t>(magnitude)) *
                              power_of_two<float>(kMinExponent - mantissa_bits);
      const std::uint32_t finite =
          magnitude < 1u << mantissa_bits ? std::bit_cast<std::uint32_t>(subnormal) : normal;
      const std::uint32_t special = has_infinity ? normal + rebase : 0x7fc00000u;
      const std::uint32_t sign = code == magnitude ? 0 : 0x80000000u;
      return std::bit_cast<float>((magnitude > kMaxFinite ? special : finite) | sign);
    }
  }
};

using Fp16 = SmallFormat<std::uint16_t, 5, 10, true>;
using Bf16 = SmallFormat<std::uint16_t, 8, 7, true>;
using Fp8E4m3 = SmallFormat<std::uint8_t, 4, 3, false>;

struct Fp32 {
  using Code = std::uint32_t;
  static constexpr int kMinExponent = -126;
  static constexpr int kMantissa = 23;

  template <typename Float>
  static constexpr Code encode(Float x) {
    const auto bits = std::bit_cast<Code>(static_cast<float>(x));
    return (bits & 0x7fffffffu) > 0x7f800000u ? 0x7fc00000u : bits;
  }
  static constexpr float decode(Code code) { return std::bit_cast<float>(code); }
};

// Calls `action` with the format as a type.
template <typename Action>
constexpr auto dispatch(Dtype dtype, Action action) {
  switch (dtype) {
    case Dtype::fp32: return action(Fp32{});
    case Dtype::fp16: return action(Fp16{});
    case Dtype::bf16: return action(Bf16{});
    case Dtype::fp8_e4m3: break;
  }
  return action(Fp8E4m3{});
}

}  // namespace helixcheck::codes
