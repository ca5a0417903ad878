// The conversions of format_codes.hpp, chosen at run time and over whole arrays.

#include "mla/formats.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

#include "mla/format_codes.hpp"

namespace helixcheck {
namespace {

using codes::dispatch;

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
