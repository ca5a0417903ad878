// Number formats: rounding to and reading from fp32, fp16, bf16 and fp8-e4m3, bit by bit.
//
// Rounding is to nearest, ties to even, straight from double (no double rounding through float).
// Subnormals are kept. fp32, fp16 and bf16 overflow to infinity; fp8-e4m3 (the OCP "fn" variant: no
// infinity, NaN = 0x7f and 0xff, largest 448) saturates, as the engines' cache kernels do.
// Shared by subjects and reference: formats are part of the question, not of the answer.

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "scenario/scenario.hpp"

namespace helixcheck {

std::size_t size_of(Dtype dtype);  // bytes of one element

// Constants of a format. `unit` is half an ulp of 1: 2^-24, 2^-11, 2^-8, 2^-4.
struct FormatTraits {
  double unit;
  double min_normal;
  double min_subnormal;
  double max_finite;
  int mantissa_bits;  // stored ones
};
const FormatTraits& traits(Dtype dtype);

// The code of the value nearest to x, in the low bits of the result.
std::uint32_t encode(Dtype dtype, double x);
double decode(Dtype dtype, std::uint32_t code);

// decode(encode(x)): the value a store keeps.
double round_to(Dtype dtype, double x);

// Half the distance between neighbouring values at |x| (half the smallest subnormal below the
// normal range). The error of one rounding is at most this, below overflow.
double half_ulp(Dtype dtype, double x);

// Reads and writes element i of an array of codes.
std::uint32_t load_code(Dtype dtype, const void* data, std::int64_t i);
void store_code(Dtype dtype, void* data, std::int64_t i, std::uint32_t code);

// Whole arrays; sizes must agree (asserted). Fast for bf16 and fp32.
void decode_to(Dtype dtype, const void* data, std::span<double> out);
void decode_to(Dtype dtype, const void* data, std::span<float> out);
void encode_from(Dtype dtype, std::span<const double> in, void* data);
void encode_from(Dtype dtype, std::span<const float> in, void* data);

}  // namespace helixcheck
