// Small helpers around the C boundary's tensor views.

#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "mla/formats.hpp"
#include "subject/helixcheck_subject.h"

namespace helixcheck {

inline Dtype dtype_of(const hxc_tensor& tensor) {
  return static_cast<Dtype>(tensor.dtype);
}
inline std::int32_t boundary_dtype(Dtype dtype) {
  return static_cast<std::int32_t>(dtype);
}

inline std::int64_t element_bytes(const hxc_tensor& tensor) {
  return tensor.dtype == HXC_INT64 ? 8 : static_cast<std::int64_t>(size_of(dtype_of(tensor)));
}

// Address of the element at up to four indices; missing ones are 0.
inline std::byte* at(const hxc_tensor& tensor, std::int64_t i = 0, std::int64_t j = 0,
                     std::int64_t k = 0, std::int64_t l = 0) {
  const std::int64_t offset =
      i * tensor.stride[0] + j * tensor.stride[1] + k * tensor.stride[2] + l * tensor.stride[3];
  return static_cast<std::byte*>(tensor.data) + offset * element_bytes(tensor);
}

inline std::int64_t& int_at(const hxc_tensor& tensor, std::int64_t i, std::int64_t j = 0) {
  return static_cast<std::int64_t*>(tensor.data)[i * tensor.stride[0] + j * tensor.stride[1]];
}

inline float& float_at(const hxc_tensor& tensor, std::int64_t i, std::int64_t j = 0,
                       std::int64_t k = 0, std::int64_t l = 0) {
  return *reinterpret_cast<float*>(at(tensor, i, j, k, l));
}

// A dense row-major view.
inline hxc_tensor dense(const void* data, std::int32_t dtype,
                        std::initializer_list<std::int64_t> shape) {
  hxc_tensor tensor{};
  tensor.data = const_cast<void*>(data);
  tensor.dtype = dtype;
  for (const std::int64_t extent : shape) tensor.shape[tensor.rank++] = extent;
  std::int64_t stride = 1;
  for (int axis = tensor.rank - 1; axis >= 0; --axis) {
    tensor.stride[axis] = stride;
    stride *= tensor.shape[axis];
  }
  return tensor;
}

}  // namespace helixcheck
