// The fp32 kernels: same bits in both builds, and close to a plain sum.

#include "subject/cpu/kernels.hpp"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <vector>

namespace helixcheck::cpu {
namespace {

std::vector<float> random_floats(std::int64_t n, unsigned seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> values(static_cast<std::size_t>(n));
  for (float& value : values) value = uniform(engine);
  return values;
}

struct Shape {
  std::int64_t m, n, k;
};
const Shape kShapes[] = {{1, 1, 8}, {1, 5, 24}, {3, 7, 16}, {4, 3, 64}, {6, 10, 576}, {9, 100, 72}};

TEST(Kernels, ProductIsTheSameOnEveryMachine) {
  if (avx2_kernels() == nullptr || &kernels() == &baseline_kernels()) GTEST_SKIP() << "no AVX2";
  for (const Shape& s : kShapes) {
    const auto a = random_floats(s.m * s.k, 1), b = random_floats(s.n * s.k, 2);
    std::vector<float> y(static_cast<std::size_t>(s.m * s.n)), z = y;
    baseline_kernels().product(a.data(), s.k, b.data(), s.k, y.data(), s.n, s.m, s.n, s.k);
    avx2_kernels()->product(a.data(), s.k, b.data(), s.k, z.data(), s.n, s.m, s.n, s.k);
    EXPECT_EQ(0, std::memcmp(y.data(), z.data(), y.size() * sizeof(float)));
  }
}

// The declared depth: k/8 + 4 roundings.
TEST(Kernels, ProductStaysWithinItsDeclaredDepth) {
  for (const Shape& s : kShapes) {
    const auto a = random_floats(s.m * s.k, 3), b = random_floats(s.n * s.k, 4);
    std::vector<float> y(static_cast<std::size_t>(s.m * s.n));
    kernels().product(a.data(), s.k, b.data(), s.k, y.data(), s.n, s.m, s.n, s.k);
    for (std::int64_t i = 0; i < s.m; ++i) {
      for (std::int64_t j = 0; j < s.n; ++j) {
        double want = 0, magnitude = 0;
        for (std::int64_t d = 0; d < s.k; ++d) {
          const double product = static_cast<double>(a[static_cast<std::size_t>(i * s.k + d)]) *
                                 b[static_cast<std::size_t>(j * s.k + d)];
          want += product;
          magnitude += std::abs(product);
        }
        const double depth = std::ceil(static_cast<double>(s.k) / 8) + 4;
        EXPECT_NEAR(y[static_cast<std::size_t>(i * s.n + j)], want, depth * 0x1p-24 * magnitude);
      }
    }
  }
}

// A row's result must not depend on how many other rows are computed with it.
TEST(Kernels, ProductRowsAreIndependent) {
  const Shape s{7, 11, 40};
  const auto a = random_floats(s.m * s.k, 5), b = random_floats(s.n * s.k, 6);
  std::vector<float> all(static_cast<std::size_t>(s.m * s.n)), one(static_cast<std::size_t>(s.n));
  kernels().product(a.data(), s.k, b.data(), s.k, all.data(), s.n, s.m, s.n, s.k);
  for (std::int64_t i = 0; i < s.m; ++i) {
    kernels().product(a.data() + i * s.k, s.k, b.data(), s.k, one.data(), s.n, 1, s.n, s.k);
    EXPECT_EQ(0, std::memcmp(one.data(), all.data() + i * s.n, one.size() * sizeof(float)));
  }
}

TEST(Kernels, AccumulateAddsKeysInGroups) {
  const std::int64_t m = 5, keys = 19, n = 24;
  const auto p = random_floats(m * keys, 7), v = random_floats(keys * n, 8);
  const auto start = random_floats(m * n, 9);
  std::vector<float> got = start, base = start;
  kernels().accumulate(p.data(), keys, v.data(), n, got.data(), n, m, keys, n);
  baseline_kernels().accumulate(p.data(), keys, v.data(), n, base.data(), n, m, keys, n);
  EXPECT_EQ(0, std::memcmp(got.data(), base.data(), got.size() * sizeof(float)));
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      double want = start[static_cast<std::size_t>(i * n + j)], magnitude = std::abs(want);
      for (std::int64_t key = 0; key < keys; ++key) {
        const double product = static_cast<double>(p[static_cast<std::size_t>(i * keys + key)]) *
                               v[static_cast<std::size_t>(key * n + j)];
        want += product;
        magnitude += std::abs(product);
      }
      EXPECT_NEAR(got[static_cast<std::size_t>(i * n + j)], want, 12 * 0x1p-24 * magnitude);
    }
  }
}

}  // namespace
}  // namespace helixcheck::cpu
