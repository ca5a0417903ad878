// The boundary's tensors as device code sees them: typed reads and writes of codes. Offsets are
// 64 bits wide: page ids times strides exceed 32.

#pragma once

#include <cstdint>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

#include "subject/helixcheck_subject.h"

namespace helixcheck::cuda {

// Element offset at up to four indices.
__device__ inline std::int64_t offset(const hxc_tensor& t, std::int64_t i, std::int64_t j = 0,
                                      std::int64_t k = 0, std::int64_t l = 0) {
  return i * t.stride[0] + j * t.stride[1] + k * t.stride[2] + l * t.stride[3];
}

__device__ inline std::int64_t& int_at(const hxc_tensor& t, std::int64_t i, std::int64_t j = 0) {
  return static_cast<std::int64_t*>(t.data)[offset(t, i, j)];
}

__device__ inline float& float_at(const hxc_tensor& t, std::int64_t i, std::int64_t j = 0,
                                  std::int64_t k = 0, std::int64_t l = 0) {
  return static_cast<float*>(t.data)[offset(t, i, j, k, l)];
}

// Codes of each format as a C++ type.
template <int dtype>
struct CodeOf;
template <>
struct CodeOf<HXC_FP32> {
  using type = float;
};
template <>
struct CodeOf<HXC_FP16> {
  using type = __half;
};
template <>
struct CodeOf<HXC_BF16> {
  using type = __nv_bfloat16;
};
template <>
struct CodeOf<HXC_FP8_E4M3> {
  using type = __nv_fp8_e4m3;
};

__device__ inline float widen(float x) {
  return x;
}
__device__ inline float widen(__half x) {
  return __half2float(x);
}
__device__ inline float widen(__nv_bfloat16 x) {
  return __bfloat162float(x);
}
__device__ inline float widen(__nv_fp8_e4m3 x) {
  return static_cast<float>(x);
}

// To nearest, ties to even. fp8-e4m3 saturates, infinity too, as mla/formats.hpp says.
template <typename Code>
__device__ inline Code narrow(float x);
template <>
__device__ inline float narrow<float>(float x) {
  return x;
}
template <>
__device__ inline __half narrow<__half>(float x) {
  return __float2half_rn(x);
}
template <>
__device__ inline __nv_bfloat16 narrow<__nv_bfloat16>(float x) {
  return __float2bfloat16_rn(x);
}
template <>
__device__ inline __nv_fp8_e4m3 narrow<__nv_fp8_e4m3>(float x) {
  return __nv_fp8_e4m3(x);
}

// Calls use(Code{}) with the type of a format that is known at run time.
template <typename Use>
__host__ __device__ inline void with_code(int dtype, Use use) {
  switch (dtype) {
    case HXC_FP32: use(float{}); break;
    case HXC_FP16: use(__half{}); break;
    case HXC_BF16: use(__nv_bfloat16{}); break;
    default: use(__nv_fp8_e4m3{}); break;
  }
}

}  // namespace helixcheck::cuda
