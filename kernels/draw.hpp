// Uniform rows made on the device: the same bits as generate/draw.hpp gives on the host.

#pragma once

#include <cstdint>
#include <cuda_runtime.h>

#include "scenario/scenario.hpp"

namespace helixcheck::cuda {

// Row i of `tensor` (a TensorId) holds U[-1, 1) from the stream (request, first_draw + i), rounded
// to `dtype`: device_out [rows, width], consecutive rows `row_stride` elements apart. Requests and
// draws are counter words: below 2^32.
void draw_uniform_rows(std::uint64_t seed, std::uint32_t tensor, std::int64_t request,
                       std::int64_t first_draw, std::int64_t rows, std::int64_t width, Dtype dtype,
                       void* device_out, std::int64_t row_stride, cudaStream_t stream);

// Two words of a row's counter.
struct RowStream {
  std::uint32_t request, draw;
};

// The same for any rows, widened: out [rows, width] holds what `dtype` keeps of each value. streams
// [rows] and out lie on the device.
void draw_widened_rows(std::uint64_t seed, std::uint32_t tensor, const RowStream* streams,
                       std::int64_t rows, std::int64_t width, Dtype dtype, double* out,
                       cudaStream_t stream);

}  // namespace helixcheck::cuda
