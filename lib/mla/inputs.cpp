// Tensors as plain bytes of codes.

#include "mla/inputs.hpp"

#include <cassert>
#include <utility>

#include "mla/formats.hpp"

namespace helixcheck {

Tensor::Tensor(Dtype dtype_, std::vector<std::int64_t> shape_)
    : dtype(dtype_), shape(std::move(shape_)) {
  bytes.resize(static_cast<std::size_t>(elements()) * size_of(dtype));
}

std::int64_t Tensor::elements() const {
  if (shape.empty()) return 0;  // a tensor that a model does not have
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    assert(size >= 0);
    count *= size;
  }
  return count;
}

std::vector<double> widen(const Tensor& tensor) {
  std::vector<double> values(static_cast<std::size_t>(tensor.elements()));
  decode_to(tensor.dtype, tensor.bytes.data(), std::span<double>(values));
  return values;
}

}  // namespace helixcheck
