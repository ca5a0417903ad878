// Each map and its norms against plain loops over the widened weights.

#include "verdict/linear_maps.hpp"

#include <cmath>
#include <functional>
#include <gtest/gtest.h>

#include "support/random_inputs.hpp"
#include "tiny_run.hpp"

namespace helixcheck {
namespace {

// W [out, in] as the map stands for it.
using Element = std::function<double(std::int64_t, std::int64_t)>;

void expect_map(const LinearMap& map, std::int64_t out, std::int64_t in, const Element& w) {
  ASSERT_EQ(map.out, out);
  ASSERT_EQ(map.in, in);
  ASSERT_EQ(std::ssize(map.norms), out);
  std::vector<double> x, y(static_cast<std::size_t>(2 * out));
  for (std::int64_t i = 0; i < 2 * in; ++i) x.push_back(0.25 * static_cast<double>(i % 7) - 0.5);
  map.apply(x, 2, y);
  for (std::int64_t i = 0; i < out; ++i) {
    double square = 0;
    for (std::int64_t j = 0; j < in; ++j) square += w(i, j) * w(i, j);
    EXPECT_NEAR(map.norms[static_cast<std::size_t>(i)], std::sqrt(square), 1e-12);
    for (std::int64_t row = 0; row < 2; ++row) {
      double sum = 0;
      for (std::int64_t j = 0; j < in; ++j)
        sum += w(i, j) * x[static_cast<std::size_t>(row * in + j)];
      EXPECT_NEAR(y[static_cast<std::size_t>(row * out + i)], sum, 1e-12);
    }
  }
}

TEST(LinearMaps, CutTheWeightsAsTheRanksUseThem) {
  const RandomInputs inputs(tiny_scenario());  // H 4, T 2, C 2, Rq 12, D 32, R 16, N 8, P 4, Vd 8
  const Geometry geometry(inputs.scenario());
  LinearMaps maps(inputs, geometry);
  const Weights& weights = inputs.weights();
  const auto element = [](const Tensor& tensor, std::int64_t row, std::int64_t column) {
    return widen(tensor)[static_cast<std::size_t>(row * tensor.shape[1] + column)];
  };
  expect_map(maps.q_a(), 12, 32, [&](auto i, auto j) { return element(weights.q_a, i, j); });
  expect_map(maps.kv_a(), 20, 32, [&](auto i, auto j) { return element(weights.kv_a, i, j); });
  expect_map(maps.q_b(1), 24, 12, [&](auto i, auto j) { return element(weights.q_b, 24 + i, j); });
  for (const std::int64_t head : {0, 3}) {
    expect_map(maps.k_absorb(head), 16, 8,
               [&](auto i, auto j) { return element(weights.kv_b, 16 * head + j, i); });
    expect_map(maps.v_up(head), 8, 16,
               [&](auto i, auto j) { return element(weights.kv_b, 16 * head + 8 + i, j); });
  }
  for (const std::int64_t rank : {0, 1, 2}) {
    expect_map(maps.o_columns(rank), 32, 8,
               [&](auto i, auto j) { return element(weights.o, i, 8 * rank + j); });
  }
  EXPECT_EQ(maps.q_a_norm().size(), 12u);
  EXPECT_EQ(maps.kv_a_norm()[5], widen(weights.kv_a_norm)[5]);
}

}  // namespace
}  // namespace helixcheck
