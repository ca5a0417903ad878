// Codes and parts of matrices as fp64, on the device.

#pragma once

#include <cstdint>
#include <cuda_runtime.h>

#include "scenario/scenario.hpp"

namespace helixcheck::cuda {

// out [n] = codes [n] * scale.
void widen_codes(Dtype dtype, const void* codes, std::int64_t n, double scale, double* out,
                 cudaStream_t stream);

// out [rows, columns]: squares of the first `columns` elements of rows of `width`.
void square_columns(const double* values, std::int64_t rows, std::int64_t width,
                    std::int64_t columns, double* out, cudaStream_t stream);

// norms [rows]: Euclidean norms of x [rows, width].
void row_norms(const double* x, std::int64_t rows, std::int64_t width, double* norms,
               cudaStream_t stream);

}  // namespace helixcheck::cuda
