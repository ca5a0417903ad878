// One block a query vector, one warp a key, or one thread a column.

#include <algorithm>
#include <cmath>

#include "kernels/check.hpp"
#include "kernels/reference/attend_kernels.hpp"
#include "kernels/reference/reduce.cuh"

namespace helixcheck::cuda {
namespace {

constexpr int kSoftmaxThreads = 1024;
constexpr int kThreads = 256;
constexpr std::int64_t kMaxSlices = 256;  // parts of the keys that columns are summed in

// The product is rounded before the maximum is taken from it, or exp(0) would not be exactly 1.
__device__ double scaled(double score, double softmax_scale) {
  return __dmul_rn(score, softmax_scale);
}

// Where nothing but -inf was seen yet, there is no maximum to relate to: such keys weigh nothing,
// unless no other ever comes, which the caller sees from the state.
__device__ double weight(double score, double max) {
  if (max == -INFINITY) return isnan(score) ? score : 0;
  return exp(score - max);
}

__global__ void __launch_bounds__(kSoftmaxThreads)
    step_softmax(double* scores, std::int64_t count, double softmax_scale, SoftmaxState* states,
                 double* keep) {
  double* row = scores + blockIdx.x * count;
  SoftmaxState& state = states[blockIdx.x];
  double top = -INFINITY;
  for (std::int64_t i = threadIdx.x; i < count; i += kSoftmaxThreads) {
    top = fmax(top, scaled(row[i], softmax_scale));
  }
  const double before = state.max;
  const double now = fmax(before, reduce_block(top, Max{}));
  double sum = 0, square_sum = 0;
  for (std::int64_t i = threadIdx.x; i < count; i += kSoftmaxThreads) {
    const double p = weight(scaled(row[i], softmax_scale), now);
    row[i] = p;
    sum += p;
    square_sum += p * p;
  }
  sum = reduce_block(sum, Sum{});
  square_sum = reduce_block(square_sum, Sum{});
  if (threadIdx.x != 0) return;
  const double share = before == now ? 1.0 : exp(before - now);
  keep[blockIdx.x] = share;
  state = {now, state.sum * share + sum, state.square_sum * share * share + square_sum};
}

__global__ void multiply_rows(double* values, std::int64_t width, const double* keep) {
  const double share = keep[blockIdx.x];
  if (share == 1.0) return;
  double* row = values + blockIdx.x * width;
  for (std::int64_t i = threadIdx.x; i < width; i += kThreads) row[i] *= share;
}

// Of values that are not negative: their bits are ordered as they are.
__device__ void raise(double& maximum, double value) {
  atomicMax(reinterpret_cast<unsigned long long*>(&maximum),
            static_cast<unsigned long long>(__double_as_longlong(value)));
}

__global__ void measure_keys(const double* keys, std::int64_t count, std::int64_t width,
                             KeySizes* sizes) {
  constexpr int kWarps = kThreads / 32;
  const unsigned lane = threadIdx.x % 32;
  double max_square = 0, max_abs = 0;
  for (std::int64_t t = static_cast<std::int64_t>(blockIdx.x) * kWarps + threadIdx.x / 32;
       t < count; t += static_cast<std::int64_t>(gridDim.x) * kWarps) {
    double square = 0;
    for (std::int64_t i = lane; i < width; i += 32) {
      const double value = keys[t * width + i];
      square += value * value;
      max_abs = fmax(max_abs, fabs(value));
    }
    max_square = fmax(max_square, reduce_warp(square, Sum{}));
  }
  max_abs = reduce_warp(max_abs, Max{});
  if (lane != 0) return;
  raise(sizes->max_square, max_square);
  raise(sizes->max_abs, max_abs);
}

// Slice s of the keys, all columns: partial [slices, latent].
__global__ void sum_slices(const double* keys, std::int64_t count, std::int64_t width,
                           std::int64_t latent, double* partial) {
  const std::int64_t column = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (column >= latent) return;
  const std::int64_t slice = blockIdx.y, slices = gridDim.y;
  double sum = 0;
  for (std::int64_t t = count * slice / slices; t < count * (slice + 1) / slices; ++t) {
    sum += fabs(keys[t * width + column]);
  }
  partial[slice * latent + column] = sum;
}

__global__ void join_slices(const double* partial, std::int64_t slices, std::int64_t latent,
                            double* sums) {
  const std::int64_t column = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (column >= latent) return;
  double sum = sums[column];
  for (std::int64_t s = 0; s < slices; ++s) sum += partial[s * latent + column];
  sums[column] = sum;
}

}  // namespace

void softmax_step(double* scores, std::int64_t vectors, std::int64_t count, double softmax_scale,
                  SoftmaxState* states, double* keep, cudaStream_t stream) {
  step_softmax<<<static_cast<unsigned>(vectors), kSoftmaxThreads, 0, stream>>>(
      scores, count, softmax_scale, states, keep);
  HXC_CHECK_LAUNCH("step_softmax");
}

void scale_rows(double* values, std::int64_t rows, std::int64_t width, const double* keep,
                cudaStream_t stream) {
  multiply_rows<<<static_cast<unsigned>(rows), kThreads, 0, stream>>>(values, width, keep);
  HXC_CHECK_LAUNCH("multiply_rows");
}

std::int64_t add_keys_scratch(std::int64_t latent) {
  return kMaxSlices * latent;
}

void add_keys(const double* keys, std::int64_t count, std::int64_t width, std::int64_t latent,
              KeySizes* sizes, double* sum_abs, double* scratch, cudaStream_t stream) {
  const auto blocks = static_cast<unsigned>(std::min<std::int64_t>((count + 7) / 8, 1024));
  measure_keys<<<blocks, kThreads, 0, stream>>>(keys, count, width, sizes);
  HXC_CHECK_LAUNCH("measure_keys");
  const std::int64_t slices = std::clamp<std::int64_t>(count / 64, 1, kMaxSlices);
  const auto columns = static_cast<unsigned>((latent + kThreads - 1) / kThreads);
  sum_slices<<<dim3(columns, static_cast<unsigned>(slices)), kThreads, 0, stream>>>(
      keys, count, width, latent, scratch);
  HXC_CHECK_LAUNCH("sum_slices");
  join_slices<<<columns, kThreads, 0, stream>>>(scratch, slices, latent, sum_abs);
  HXC_CHECK_LAUNCH("join_slices");
}

}  // namespace helixcheck::cuda
