// fp32 matrix kernels of the CPU subject.
//
// The source is compiled twice, for the x86-64 baseline and for AVX2, and chosen at start. Both
// give the same bits: every sum runs in eight interleaved chains that are joined in a fixed order,
// and no multiply-add is contracted. Leading dimensions are multiples of kLanes, padded with zeros.

#pragma once

#include <cstdint>

namespace helixcheck::cpu {

inline constexpr std::int64_t kLanes = 8;
inline constexpr std::int64_t kKeyGroup = 8;  // keys summed in one chain by accumulate

inline std::int64_t padded(std::int64_t n) {
  return (n + kLanes - 1) / kLanes * kLanes;
}

struct Kernels {
  // y[m, n] = a[m, k] * b[n, k]^T. lda, ldb: padded(k) or more; ldy: any.
  void (*product)(const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float* y,
                  std::int64_t ldy, std::int64_t m, std::int64_t n, std::int64_t k);
  // acc[m, n] += p[m, keys] * v[keys, n]; keys in chains of kKeyGroup. n is a multiple of kLanes.
  void (*accumulate)(const float* p, std::int64_t ldp, const float* v, std::int64_t ldv, float* acc,
                     std::int64_t ldacc, std::int64_t m, std::int64_t keys, std::int64_t n);
};

// The fastest set this machine can run.
const Kernels& kernels();

// The two builds, for the test that holds them against each other. avx2 is null off x86-64.
const Kernels& baseline_kernels();
const Kernels* avx2_kernels();

}  // namespace helixcheck::cpu
