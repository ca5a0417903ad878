// Body of the kernels; included by kernels_baseline.cpp and kernels_avx2.cpp. It uses no library
// template, so that no code built for AVX2 can be picked for another machine.

namespace helixcheck::cpu {
namespace {

typedef float Lanes __attribute__((vector_size(32)));

inline Lanes load(const float* p) {
  Lanes v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

inline void store(float* p, Lanes v) { __builtin_memcpy(p, &v, sizeof v); }

inline float joined(Lanes v) {
  return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

// An M x N tile of the product: M * N accumulators stay in registers.
template <int M, int N>
inline void product_tile(const float* a, std::int64_t lda, const float* b, std::int64_t ldb,
                         float* y, std::int64_t ldy, std::int64_t k) {
  Lanes sum[M][N] = {};
  for (std::int64_t d = 0; d < k; d += kLanes) {
    Lanes right[N];
    for (int j = 0; j < N; ++j) right[j] = load(b + j * ldb + d);
    for (int i = 0; i < M; ++i) {
      const Lanes left = load(a + i * lda + d);
      for (int j = 0; j < N; ++j) sum[i][j] += left * right[j];
    }
  }
  for (int i = 0; i < M; ++i) {
    for (int j = 0; j < N; ++j) y[i * ldy + j] = joined(sum[i][j]);
  }
}

template <int M>
inline void product_rows(const float* a, std::int64_t lda, const float* b, std::int64_t ldb,
                         float* y, std::int64_t ldy, std::int64_t n, std::int64_t k) {
  std::int64_t j = 0;
  for (; j + 3 <= n; j += 3) product_tile<M, 3>(a, lda, b + j * ldb, ldb, y + j, ldy, k);
  for (; j < n; ++j) product_tile<M, 1>(a, lda, b + j * ldb, ldb, y + j, ldy, k);
}

void product(const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float* y,
             std::int64_t ldy, std::int64_t m, std::int64_t n, std::int64_t k) {
  // A panel of b that fits the second-level cache is used for all rows of a.
  constexpr std::int64_t kPanelFloats = 48 * 1024;
  const std::int64_t panel = k > 0 && kPanelFloats / k > 3 ? kPanelFloats / k / 3 * 3 : 3;
  for (std::int64_t begin = 0; begin < n; begin += panel) {
    const std::int64_t width = begin + panel < n ? panel : n - begin;
    const float* right = b + begin * ldb;
    std::int64_t i = 0;
    for (; i + 4 <= m; i += 4) {
      product_rows<4>(a + i * lda, lda, right, ldb, y + i * ldy + begin, ldy, width, k);
    }
    for (; i < m; ++i) {
      product_rows<1>(a + i * lda, lda, right, ldb, y + i * ldy + begin, ldy, width, k);
    }
  }
}

// One group of keys for M rows and one vector of columns.
template <int M>
inline void accumulate_group(const float* p, std::int64_t ldp, const float* v, std::int64_t ldv,
                             float* acc, std::int64_t ldacc, std::int64_t keys, std::int64_t n) {
  for (std::int64_t j = 0; j < n; j += kLanes) {
    Lanes sum[M];
    for (int i = 0; i < M; ++i) sum[i] = p[i * ldp] * load(v + j);
    for (std::int64_t key = 1; key < keys; ++key) {
      const Lanes value = load(v + key * ldv + j);
      for (int i = 0; i < M; ++i) sum[i] += p[i * ldp + key] * value;
    }
    for (int i = 0; i < M; ++i) store(acc + i * ldacc + j, load(acc + i * ldacc + j) + sum[i]);
  }
}

void accumulate(const float* p, std::int64_t ldp, const float* v, std::int64_t ldv, float* acc,
                std::int64_t ldacc, std::int64_t m, std::int64_t keys, std::int64_t n) {
  for (std::int64_t key = 0; key < keys; key += kKeyGroup) {
    const std::int64_t group = key + kKeyGroup < keys ? kKeyGroup : keys - key;
    const float* values = v + key * ldv;
    std::int64_t i = 0;
    for (; i + 4 <= m; i += 4) {
      accumulate_group<4>(p + i * ldp + key, ldp, values, ldv, acc + i * ldacc, ldacc, group, n);
    }
    for (; i < m; ++i) {
      accumulate_group<1>(p + i * ldp + key, ldp, values, ldv, acc + i * ldacc, ldacc, group, n);
    }
  }
}

}  // namespace
}  // namespace helixcheck::cpu
