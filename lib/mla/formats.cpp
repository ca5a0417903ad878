// One description of each format (exponent bits, mantissa bits, infinity or not) generates its
// conversions, written without branches so that compilers vectorise the array loops: exponents are
// re-based and mantissas rounded as integers; subnormals come from adding a power of two whose ulp
// is their spacing. Assumes round-to-nearest and subnormals that are not flushed, C++'s defaults.

#include "mla/formats.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

namespace helixcheck {
namespace {

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
  static constexpr std::uint32_t kSign = 1u << (exponent_bits + mantissa_bits);
  static constexpr std::uint32_t kInfinity = kSign - (1u << mantissa_bits);  // if it has one
  static constexpr std::uint32_t kNan = kSign - (has_infinity ? 1u << (mantissa_bits - 1) : 1u);
  static constexpr std::uint32_t kMaxFinite = has_infinity ? kInfinity - 1 : kNan - 1;
  static constexpr std::uint32_t kOverflow = has_infinity ? kInfinity : kMaxFinite;

  template <typename Float>
  static Code encode(Float x) {
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
    const Bits normal = std::min<Bits>(((magnitude + to_even) >> drop) - rebase, kOverflow);
    const Bits subnormal = std::bit_cast<Bits>(std::bit_cast<Float>(magnitude) + aligner) -
                           std::bit_cast<Bits>(aligner);
    const Bits code = magnitude < std::bit_cast<Bits>(min_normal) ? subnormal : normal;
    const Bits sign = bits == magnitude ? Bits{0} : Bits{kSign};
    return static_cast<Code>(magnitude > infinity ? Bits{kNan} : code | sign);
  }

  static float decode(std::uint32_t code) {
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

  template <typename Float>
  static Code encode(Float x) {
    const auto bits = std::bit_cast<Code>(static_cast<float>(x));
    return (bits & 0x7fffffffu) > 0x7f800000u ? 0x7fc00000u : bits;
  }
  static float decode(Code code) { return std::bit_cast<float>(code); }
};

// Calls `action` with the format as a type.
template <typename Action>
auto dispatch(Dtype dtype, Action action) {
  switch (dtype) {
    case Dtype::fp32: return action(Fp32{});
    case Dtype::fp16: return action(Fp16{});
    case Dtype::bf16: return action(Bf16{});
    case Dtype::fp8_e4m3: break;
  }
  return action(Fp8E4m3{});
}

// Codes are copied in and out as bytes: arrays need no alignment.
template <typename Float>
void decode_array(Dtype dtype, const void* data, std::span<Float> out) {
  assert(data != nullptr || out.empty());
  dispatch(dtype, [data, out](auto format) {
    using Code = typename decltype(format)::Code;
    const auto* bytes = static_cast<const std::byte*>(data);
    for (std::size_t i = 0; i < out.size(); ++i) {
      Code code;
      std::memcpy(&code, bytes + i * sizeof(Code), sizeof(Code));
      out[i] = format.decode(code);
    }
  });
}

template <typename Float>
void encode_array(Dtype dtype, std::span<const Float> in, void* data) {
  assert(data != nullptr || in.empty());
  dispatch(dtype, [in, data](auto format) {
    using Code = typename decltype(format)::Code;
    auto* bytes = static_cast<std::byte*>(data);
    for (std::size_t i = 0; i < in.size(); ++i) {
      const Code code = format.encode(in[i]);
      std::memcpy(bytes + i * sizeof(Code), &code, sizeof(Code));
    }
  });
}

}  // namespace

std::size_t size_of(Dtype dtype) {
  return dispatch(dtype, [](auto format) { return sizeof(typename decltype(format)::Code); });
}

const FormatTraits& traits(Dtype dtype) {
  static constexpr std::array<FormatTraits, 4> kTraits{{
      {0x1p-24, 0x1p-126, 0x1p-149, 0x1.fffffep127, 23},
      {0x1p-11, 0x1p-14, 0x1p-24, 65504, 10},
      {0x1p-8, 0x1p-126, 0x1p-133, 0x1.fep127, 7},
      {0x1p-4, 0x1p-6, 0x1p-9, 448, 3},
  }};
  return kTraits[static_cast<std::size_t>(dtype)];
}

std::uint32_t encode(Dtype dtype, double x) {
  return dispatch(dtype, [x](auto format) { return std::uint32_t{format.encode(x)}; });
}

double decode(Dtype dtype, std::uint32_t code) {
  return dispatch(dtype, [code](auto format) { return double{format.decode(code)}; });
}

double round_to(Dtype dtype, double x) {
  return decode(dtype, encode(dtype, x));
}

double half_ulp(Dtype dtype, double x) {
  const FormatTraits& format = traits(dtype);
  constexpr std::uint64_t exponent_mask = 0x7ff0000000000000u;
  const double binade = std::bit_cast<double>(std::bit_cast<std::uint64_t>(x) & exponent_mask);
  return format.unit * std::max(binade, format.min_normal);
}

std::uint32_t load_code(Dtype dtype, const void* data, std::int64_t i) {
  return dispatch(dtype, [data, i](auto format) {
    typename decltype(format)::Code code;
    std::memcpy(&code, static_cast<const std::byte*>(data) + i * std::int64_t{sizeof(code)},
                sizeof(code));
    return std::uint32_t{code};
  });
}

void store_code(Dtype dtype, void* data, std::int64_t i, std::uint32_t code) {
  dispatch(dtype, [data, i, code](auto format) {
    const auto narrow = static_cast<typename decltype(format)::Code>(code);
    std::memcpy(static_cast<std::byte*>(data) + i * std::int64_t{sizeof(narrow)}, &narrow,
                sizeof(narrow));
  });
}

void decode_to(Dtype dtype, const void* data, std::span<double> out) {
  decode_array(dtype, data, out);
}

void decode_to(Dtype dtype, const void* data, std::span<float> out) {
  decode_array(dtype, data, out);
}

void encode_from(Dtype dtype, std::span<const double> in, void* data) {
  encode_array(dtype, in, data);
}

void encode_from(Dtype dtype, std::span<const float> in, void* data) {
  encode_array(dtype, in, data);
}

}  // namespace helixcheck
