// Blocked fp64 matrix products on the kernels: linear layers, absorption, the scores of attention.
//
// y has a row stride, and so has x. Each element of y is the plain sum over `in` from left to
// right, whatever the blocks and threads. Up to two threads for large products.

#pragma once

#include <cstdint>

#include "mla/row_source.hpp"

namespace helixcheck {

// A row-major matrix with room for other things between its rows.
template <typename Value>
struct Strided {
  Value* data = nullptr;
  std::int64_t stride = 0;
};

// y [rows, out] = x [rows, in] * w [out, in]^T, in = w.width().
void multiply_transposed(Strided<const double> x, std::int64_t rows, const RowSource& w,
                         std::int64_t out, Strided<double> y);

// y [rows, out] = x [rows, in] * w [in, out], out = w.width().
void multiply(Strided<const double> x, std::int64_t rows, const RowSource& w, std::int64_t in,
              Strided<double> y);

}  // namespace helixcheck
