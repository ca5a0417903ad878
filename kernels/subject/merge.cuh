// What the two forms of the merge share: statistics of a partial as a natural-log LSE, and the
// weights that follow.

#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/views.cuh"

namespace helixcheck::cuda {

// `second`: of (max, sum).
__device__ inline float natural_lse(int form, float first, float second) {
  if (form == HXC_LSE_LN) return first;
  if (form == HXC_LSE_LOG2) return first * 0.69314718f;
  return first == -INFINITY ? first : first + logf(second);
}

// The larger of two LSEs; NaN stays NaN.
__device__ inline float top_of(float a, float b) {
  return b > a || isnan(b) ? b : a;
}

}  // namespace helixcheck::cuda
