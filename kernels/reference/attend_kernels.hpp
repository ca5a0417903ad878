// The parts of attention that are no matrix products, over one chunk of keys at a time. Figures of
// earlier chunks are kept and rescaled when a chunk holds a higher score.

#pragma once

#include <cstdint>
#include <cuda_runtime.h>

namespace helixcheck::cuda {

// Of one query vector, over the keys so far. `max` leaves NaN out; sums are relative to exp(max).
struct SoftmaxState {
  double max, sum, square_sum;  // at first -inf, 0, 0
};

// Of the keys so far: the largest square of a norm and the largest magnitude of an element, NaN
// left out.
struct KeySizes {
  double max_square, max_abs;
};

// scores [vectors, count], not yet scaled, become exp(scaled score - max), the new maximum; keep
// [vectors] is what sums made before are to be multiplied with.
void softmax_step(double* scores, std::int64_t vectors, std::int64_t count, double softmax_scale,
                  SoftmaxState* states, double* keep, cudaStream_t stream);

// values [rows, width] *= keep [rows].
void scale_rows(double* values, std::int64_t rows, std::int64_t width, const double* keep,
                cudaStream_t stream);

// Doubles that add_keys needs.
std::int64_t add_keys_scratch(std::int64_t latent);

// Adds keys [count, width] to `sizes` and to sum_abs [latent], the sums of their values'
// magnitudes.
void add_keys(const double* keys, std::int64_t count, std::int64_t width, std::int64_t latent,
              KeySizes* sizes, double* sum_abs, double* scratch, cudaStream_t stream);

}  // namespace helixcheck::cuda
