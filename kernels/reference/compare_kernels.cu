// A thread collects evidence of every 128th value of its block's rows; at the end the block joins
// it.

#include <algorithm>

#include "kernels/check.hpp"
#include "kernels/reference/compare_kernels.hpp"
#include "kernels/reference/reduce.cuh"
#include "mla/acceptance.hpp"

namespace helixcheck::cuda {
namespace {

constexpr int kThreads = 128;
constexpr std::int64_t kMaxBlocks = 2048;

struct Range {
  std::int64_t begin, end;
};

// This block's rows.
__device__ Range rows_of_block(std::int64_t rows) {
  const std::int64_t block = blockIdx.x, blocks = gridDim.x;
  return {rows * block / blocks, rows * (block + 1) / blocks};
}

__device__ void leave(const Evidence& mine, Evidence* seen) {
  alignas(Evidence) __shared__ unsigned char bytes[kThreads * sizeof(Evidence)];
  auto* all = reinterpret_cast<Evidence*>(bytes);
  all[threadIdx.x] = mine;
  for (unsigned half = kThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) join(all[threadIdx.x], all[threadIdx.x + half]);
  }
  if (threadIdx.x == 0) seen[blockIdx.x] = all[0];
}

template <typename Format>
__global__ void judge_kv_c(const PromptBatch batch, Evidence* seen) {
  const auto* codes = static_cast<const typename Format::Code*>(batch.kv_c);
  const std::int64_t width = batch.latent + batch.rope;
  const Range rows = rows_of_block(batch.rows);
  Evidence mine;
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    const double size = batch.bounds.linear * batch.x_norms[row];
    for (std::int64_t i = threadIdx.x; i < width; i += kThreads) {
      const double bound = size * batch.w_norms[i] + batch.bounds.linear_floor;
      acceptance::weigh<Format>(Format::decode(codes[row * width + i]), batch.want[row * width + i],
                                bound, batch.first_row + row, i, mine);
    }
  }
  leave(mine, seen);
}

// Codes of one latent row and what they were made from.
template <typename Format>
struct LatentRow {
  const typename Format::Code* x;
  const typename Format::Code* got;
  std::int64_t number;

  __device__ double input(std::int64_t i) const { return Format::decode(x[i]); }
  __device__ void weigh(double want, double bound, std::int64_t i, Evidence& mine) const {
    acceptance::weigh<Format>(Format::decode(got[i]), want, bound, number, i, mine);
  }
};

template <typename Format>
__device__ void judge_normed(const PromptBatch& batch, const LatentRow<Format>& row,
                             Evidence& mine) {
  double sum = 0;
  for (std::int64_t i = threadIdx.x; i < batch.latent; i += kThreads) {
    sum += row.input(i) * row.input(i);
  }
  sum = reduce_block(sum, Sum{});
  const double rms = sqrt(sum / static_cast<double>(batch.latent) + batch.eps);
  for (std::int64_t i = threadIdx.x; i < batch.latent; i += kThreads) {
    const double want = row.input(i) / rms * batch.norm_weight[i];
    const double floor = want != 0 ? batch.bounds.norm_floor : 0;
    row.weigh(want, batch.bounds.norm * fabs(want) + floor, i, mine);
  }
}

template <typename Format>
__device__ void judge_roped(const PromptBatch& batch, const LatentRow<Format>& row,
                            std::int64_t position, Evidence& mine) {
  const std::int64_t pairs = batch.rope / 2;
  for (std::int64_t j = threadIdx.x; j < pairs; j += kThreads) {
    const std::int64_t first = batch.latent + (batch.interleave ? 2 * j : j);
    const std::int64_t second = batch.interleave ? first + 1 : first + pairs;
    const double angle = static_cast<double>(position) * batch.inv_freq[j];
    const double c = batch.cos_scale * cos(angle), s = batch.cos_scale * sin(angle);
    const double a = row.input(first), b = row.input(second);
    const double size = fabs(a) + fabs(b);
    const double bound = size * batch.bounds.rope(angle) + (size > 0 ? batch.bounds.rope_floor : 0);
    row.weigh(a * c - b * s, bound, first, mine);
    row.weigh(a * s + b * c, bound, second, mine);
  }
}

template <typename Format>
__global__ void judge_latent(const PromptBatch batch, Evidence* seen) {
  const auto* kv_c = static_cast<const typename Format::Code*>(batch.kv_c);
  const auto* got = static_cast<const typename Format::Code*>(batch.stored_latent);
  const std::int64_t width = batch.latent + batch.rope;
  const Range rows = rows_of_block(batch.rows);
  Evidence mine;
  for (std::int64_t i = rows.begin; i < rows.end; ++i) {
    const LatentRow<Format> row{kv_c + i * width, got + i * width, batch.first_row + i};
    judge_normed(batch, row, mine);
    judge_roped(batch, row, batch.positions[i], mine);
  }
  leave(mine, seen);
}

template <typename From, typename To>
__global__ void judge_stored(const Accelerator::StoredRows rows, std::int64_t first_row,
                             Evidence* seen) {
  const auto* latent = static_cast<const typename From::Code*>(rows.latent);
  const auto* got = static_cast<const typename To::Code*>(rows.stored);
  const Range range = rows_of_block(rows.rows);
  Evidence mine;
  for (std::int64_t row = range.begin; row < range.end; ++row) {
    for (std::int64_t i = threadIdx.x; i < rows.width; i += kThreads) {
      const std::int64_t at = row * rows.width + i;
      const double want = static_cast<double>(From::decode(latent[at])) / rows.scale;
      const double bound = rows.bound == 0 ? 0 : rows.bound * fabs(want);
      acceptance::weigh<To>(To::decode(got[at]), want, bound, first_row + row, i, mine);
    }
  }
  leave(mine, seen);
}

}  // namespace

int compare_blocks(std::int64_t rows) {
  return static_cast<int>(std::min(rows, kMaxBlocks));
}

void compare_kv_c(Dtype dtype, const PromptBatch& batch, Evidence* seen, cudaStream_t stream) {
  codes::dispatch(dtype, [&](auto format) {
    judge_kv_c<decltype(format)><<<compare_blocks(batch.rows), kThreads, 0, stream>>>(batch, seen);
  });
  HXC_CHECK_LAUNCH("judge_kv_c");
}

void compare_latent(Dtype dtype, const PromptBatch& batch, Evidence* seen, cudaStream_t stream) {
  codes::dispatch(dtype, [&](auto format) {
    judge_latent<decltype(format)>
        <<<compare_blocks(batch.rows), kThreads, 0, stream>>>(batch, seen);
  });
  HXC_CHECK_LAUNCH("judge_latent");
}

void compare_stored(const Accelerator::StoredRows& rows, std::int64_t first_row, Evidence* seen,
                    cudaStream_t stream) {
  codes::dispatch(rows.dtype, [&](auto from) {
    codes::dispatch(rows.kv_dtype, [&](auto to) {
      judge_stored<decltype(from), decltype(to)>
          <<<compare_blocks(rows.rows), kThreads, 0, stream>>>(rows, first_row, seen);
    });
  });
  HXC_CHECK_LAUNCH("judge_stored");
}

}  // namespace helixcheck::cuda
