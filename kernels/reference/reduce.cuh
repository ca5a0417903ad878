// Reductions over a block, in an order that depends on the block's size alone.

#pragma once

#include <cuda_runtime.h>

namespace helixcheck::cuda {

struct Sum {
  __device__ double operator()(double a, double b) const { return a + b; }
};

// NaN is left out, as std::max(max, value) leaves it out.
struct Max {
  __device__ double operator()(double a, double b) const { return fmax(a, b); }
};

template <typename Op>
__device__ inline double reduce_warp(double value, Op op) {
  for (int distance = 16; distance > 0; distance /= 2) {
    value = op(value, __shfl_xor_sync(0xffffffffu, value, distance));
  }
  return value;
}

// To every thread. The block is a multiple of 32 threads, all of which take part.
template <typename Op>
__device__ inline double reduce_block(double value, Op op) {
  __shared__ double parts[32];
  const unsigned warps = blockDim.x / 32;
  value = reduce_warp(value, op);
  __syncthreads();  // `parts` may still be read from the call before
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = value;
  __syncthreads();
  double total = parts[0];
  for (unsigned i = 1; i < warps; ++i) total = op(total, parts[i]);
  return total;
}

}  // namespace helixcheck::cuda
