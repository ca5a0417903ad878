// Passes over memory, and nothing else.

#include <algorithm>

#include "kernels/check.hpp"
#include "kernels/reference/reduce.cuh"
#include "kernels/reference/widen.hpp"
#include "mla/format_codes.hpp"

namespace helixcheck::cuda {
namespace {

constexpr int kThreads = 256;
constexpr std::int64_t kMaxBlocks = 1 << 14;

unsigned blocks_for(std::int64_t n) {
  return static_cast<unsigned>(std::min((n + kThreads - 1) / kThreads, kMaxBlocks));
}

template <typename Format>
__global__ void widen(const typename Format::Code* codes, std::int64_t n, double scale,
                      double* out) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * kThreads;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < n;
       i += step) {
    out[i] = static_cast<double>(Format::decode(codes[i])) * scale;
  }
}

__global__ void square(const double* values, std::int64_t width, std::int64_t columns, double* out,
                       std::int64_t n) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * kThreads;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < n;
       i += step) {
    const double value = values[i / columns * width + i % columns];
    out[i] = value * value;
  }
}

// One block a row.
__global__ void norm_rows(const double* x, std::int64_t width, double* norms) {
  const double* row = x + blockIdx.x * width;
  double sum = 0;
  for (std::int64_t i = threadIdx.x; i < width; i += kThreads) sum += row[i] * row[i];
  sum = reduce_block(sum, Sum{});
  if (threadIdx.x == 0) norms[blockIdx.x] = sqrt(sum);
}

}  // namespace

void widen_codes(Dtype dtype, const void* codes, std::int64_t n, double scale, double* out,
                 cudaStream_t stream) {
  if (n == 0) return;
  codes::dispatch(dtype, [&](auto format) {
    using Format = decltype(format);
    widen<Format><<<blocks_for(n), kThreads, 0, stream>>>(
        static_cast<const typename Format::Code*>(codes), n, scale, out);
  });
  HXC_CHECK_LAUNCH("widen");
}

void square_columns(const double* values, std::int64_t rows, std::int64_t width,
                    std::int64_t columns, double* out, cudaStream_t stream) {
  const std::int64_t n = rows * columns;
  if (n == 0) return;
  square<<<blocks_for(n), kThreads, 0, stream>>>(values, width, columns, out, n);
  HXC_CHECK_LAUNCH("square");
}

void row_norms(const double* x, std::int64_t rows, std::int64_t width, double* norms,
               cudaStream_t stream) {
  if (rows == 0) return;
  norm_rows<<<static_cast<unsigned>(rows), kThreads, 0, stream>>>(x, width, norms);
  HXC_CHECK_LAUNCH("norm_rows");
}

}  // namespace helixcheck::cuda
