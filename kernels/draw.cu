// One block draws one row, a thread four values at a time: the words of one Philox block.

#include <algorithm>

#include "kernels/check.hpp"
#include "kernels/draw.hpp"
#include "kernels/philox.cuh"
#include "mla/format_codes.hpp"

namespace helixcheck::cuda {
namespace {

constexpr int kThreads = 256;

struct Consecutive {
  std::uint32_t request, first_draw;
  __device__ RowStream operator()(std::int64_t row) const {
    return {request, first_draw + static_cast<std::uint32_t>(row)};
  }
};

struct Listed {
  const RowStream* streams;  // [rows]
  __device__ RowStream operator()(std::int64_t row) const { return streams[row]; }
};

template <typename Format>
struct CodeRows {
  typename Format::Code* out;
  std::int64_t stride;
  __device__ void put(std::int64_t row, std::int64_t i, float value) const {
    out[row * stride + i] = Format::encode(value);
  }
};

template <typename Format>
struct WidenedRows {
  double* out;
  std::int64_t stride;
  __device__ void put(std::int64_t row, std::int64_t i, float value) const {
    out[row * stride + i] = Format::decode(Format::encode(value));
  }
};

template <typename Streams, typename Rows>
__global__ void draw_rows(std::uint64_t seed, std::uint32_t tensor, Streams streams,
                          std::int64_t width, Rows rows) {
  const std::int64_t row = blockIdx.x;
  const RowStream stream = streams(row);
  for (std::int64_t i = 4 * threadIdx.x; i < width; i += 4 * kThreads) {
    const uint4 words = philox4x32_10(
        make_uint4(static_cast<std::uint32_t>(i / 4), stream.draw, stream.request, tensor), seed);
    const std::uint32_t word[4] = {words.x, words.y, words.z, words.w};
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      if (i + k < width) rows.put(row, i + k, unit_interval(word[k]));
    }
  }
}

}  // namespace

void draw_uniform_rows(std::uint64_t seed, std::uint32_t tensor, std::int64_t request,
                       std::int64_t first_draw, std::int64_t rows, std::int64_t width, Dtype dtype,
                       void* device_out, std::int64_t row_stride, cudaStream_t stream) {
  if (rows == 0 || width == 0) return;
  const Consecutive streams{static_cast<std::uint32_t>(request),
                            static_cast<std::uint32_t>(first_draw)};
  codes::dispatch(dtype, [&](auto format) {
    using Format = decltype(format);
    const CodeRows<Format> out{static_cast<typename Format::Code*>(device_out), row_stride};
    draw_rows<<<static_cast<unsigned>(rows), kThreads, 0, stream>>>(seed, tensor, streams, width,
                                                                    out);
  });
  HXC_CHECK_LAUNCH("draw_rows");
}

void draw_widened_rows(std::uint64_t seed, std::uint32_t tensor, const RowStream* streams,
                       std::int64_t rows, std::int64_t width, Dtype dtype, double* out,
                       cudaStream_t stream) {
  if (rows == 0 || width == 0) return;
  codes::dispatch(dtype, [&](auto format) {
    draw_rows<<<static_cast<unsigned>(rows), kThreads, 0, stream>>>(
        seed, tensor, Listed{streams}, width, WidenedRows<decltype(format)>{out, width});
  });
  HXC_CHECK_LAUNCH("draw_rows");
}

}  // namespace helixcheck::cuda
