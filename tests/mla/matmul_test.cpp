// Products must give the bits of the plain loop for any shape, stride, source and thread count.

#include "mla/matmul.hpp"

#include <gtest/gtest.h>
#include <vector>

#include "mla/formats.hpp"
#include "mla/parallel.hpp"
#include "support/hash.hpp"

namespace helixcheck {
namespace {

struct Shape {
  std::int64_t rows, in, out;
};

// Around the sizes of tiles, panels and blocks.
const std::vector<Shape> kShapes = {{1, 1, 1},     {3, 5, 7},      {2, 8, 16},     {9, 256, 8},
                                    {5, 257, 129}, {300, 70, 130}, {257, 513, 31}, {0, 4, 4}};

constexpr std::int64_t kGap = 3;

std::vector<double> plain_loop(const Shape& s, const std::vector<double>& x,
                               const std::vector<double>& w, bool transposed) {
  std::vector<double> y;
  for (std::int64_t i = 0; i < s.rows; ++i) {
    for (std::int64_t j = 0; j < s.out; ++j) {
      double sum = 0;
      for (std::int64_t k = 0; k < s.in; ++k) {
        sum += x[static_cast<std::size_t>(i * (s.in + kGap) + k)] *
               w[static_cast<std::size_t>(transposed ? j * s.in + k : k * s.out + j)];
      }
      y.push_back(sum);
    }
    y.insert(y.end(), kGap, -1.0);
  }
  return y;
}

std::vector<double> product(const Shape& s, const std::vector<double>& x, const RowSource& w,
                            bool transposed) {
  std::vector<double> y(static_cast<std::size_t>(s.rows * (s.out + kGap)), -1.0);
  if (transposed) {
    multiply_transposed({x.data(), s.in + kGap}, s.rows, w, s.out, {y.data(), s.out + kGap});
  } else {
    multiply({x.data(), s.in + kGap}, s.rows, w, s.in, {y.data(), s.out + kGap});
  }
  return y;
}

TEST(Matmul, GivesTheBitsOfThePlainLoop) {
  for (const bool transposed : {true, false}) {
    for (const Shape& s : kShapes) {
      const std::vector<double> x = hash_values(1, s.rows * (s.in + kGap));
      const std::vector<double> w = hash_values(2, s.in * s.out);
      const RowSource source(w.data(), transposed ? s.in : s.out);
      EXPECT_EQ(product(s, x, source, transposed), plain_loop(s, x, w, transposed))
          << s.rows << " x " << s.in << " x " << s.out << (transposed ? " transposed" : "");
    }
  }
}

TEST(Matmul, DoesNotDependOnThreads) {
  const Shape s{129, 300, 171};
  const std::vector<double> x = hash_values(1, s.rows * (s.in + kGap));
  const std::vector<double> w = hash_values(2, s.in * s.out);
  for (const int threads : {1, 2, 3}) {
    const ThreadLimit limit(threads);
    EXPECT_EQ(product(s, x, RowSource(w.data(), s.in), true), plain_loop(s, x, w, true));
  }
}

TEST(Matmul, WidensCodes) {
  const Shape s{4, 20, 30};
  const std::vector<double> x = hash_values(1, s.rows * (s.in + kGap));
  std::vector<double> w = hash_values(2, s.in * s.out);
  for (const Dtype dtype : {Dtype::fp32, Dtype::fp16, Dtype::bf16, Dtype::fp8_e4m3}) {
    std::vector<std::byte> codes(w.size() * size_of(dtype));
    encode_from(dtype, std::span<const double>(w), codes.data());
    std::vector<double> stored;
    for (const double value : w) stored.push_back(round_to(dtype, value) * 0.75);
    const RowSource source(dtype, codes.data(), s.in, 0.75);
    EXPECT_EQ(product(s, x, source, true), plain_loop(s, x, stored, true));
  }
}

}  // namespace
}  // namespace helixcheck
