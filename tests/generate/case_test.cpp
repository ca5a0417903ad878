// Drawn cases: the fixed test's distributions, and values that depend on what they should alone.

#include "generate/case.hpp"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <vector>

#include "mla/formats.hpp"

namespace helixcheck {
namespace {

Scenario small_layer() {
  Scenario s;
  s.problem.num_heads = 4;
  s.problem.hidden_size = 256;
  s.problem.q_lora_rank = 64;
  s.problem.kv_lora_rank = 64;
  s.problem.qk_nope_head_dim = 24;
  s.problem.qk_rope_head_dim = 8;
  s.problem.v_head_dim = 16;
  s.problem.dtype = Dtype::fp32;
  s.problem.kv_cache_dtype = Dtype::fp32;
  return s;
}

struct Moments {
  double mean = 0, rms = 0, largest = 0;
};

Moments moments(const std::vector<double>& values) {
  Moments m;
  for (const double v : values) {
    m.mean += v;
    m.rms += v * v;
    m.largest = std::max(m.largest, std::abs(v));
  }
  m.mean /= static_cast<double>(values.size());
  m.rms = std::sqrt(m.rms / static_cast<double>(values.size()));
  return m;
}

void expect_uniform(const Tensor& tensor, double bound) {
  const Moments m = moments(widen(tensor));
  EXPECT_NEAR(m.mean / bound, 0, 0.05);
  EXPECT_NEAR(m.rms / bound, 1 / std::sqrt(3.0), 0.03);
  EXPECT_LE(m.largest, bound);
  EXPECT_GT(m.largest, 0.95 * bound);
}

TEST(DrawnCase, HasTheFixedTestsWeights) {
  const Scenario s = small_layer();
  const DrawnCase drawn(s);
  const Weights& w = drawn.weights();
  expect_uniform(w.q_a, std::sqrt(6.0 / 256));
  expect_uniform(w.q_b, std::sqrt(6.0 / 64));
  expect_uniform(w.kv_a, std::sqrt(6.0 / 256));
  expect_uniform(w.o, std::sqrt(6.0 / (4 * 16)));
  for (const double v : widen(w.kv_a_norm)) EXPECT_NEAR(v, 1.0, 0.1);
  // In each head 24 rows of k_nope, then 16 of v.
  const std::vector<double> kv_b = widen(w.kv_b);
  std::vector<double> keys, values;
  for (std::size_t i = 0; i < kv_b.size(); ++i) {
    ((i / 64) % 40 < 24 ? keys : values).push_back(kv_b[i]);
  }
  EXPECT_NEAR(moments(keys).largest, std::sqrt(6.0 / 64), 0.01);
  EXPECT_NEAR(moments(values).largest, 1.0, 0.01);
}

TEST(DrawnCase, TokensAreMadeAloneAsInARun) {
  const Scenario s = small_layer();
  const DrawnCase drawn(s);
  std::vector<std::byte> run(5 * 256 * 4), one(256 * 4);
  drawn.hidden({0, 7}, 5, run.data());
  for (std::int64_t i = 0; i < 5; ++i) {
    drawn.hidden({0, 7 + i}, 1, one.data());
    EXPECT_TRUE(std::equal(one.begin(), one.end(), run.begin() + i * 256 * 4));
  }
  std::vector<std::byte> other(256 * 4);
  drawn.hidden({1, 7}, 1, other.data());
  EXPECT_FALSE(std::equal(other.begin(), other.end(), run.begin())) << "another request";
}

TEST(DrawnCase, LayoutMovesNoValue) {
  Scenario s = small_layer();
  s.problem.entry = Entry::core;
  std::vector<std::byte> before(72 * 4), after(72 * 4);
  DrawnCase(s).latent({0, 9}, 9, 1, before.data());
  s.layout.kvp = 4;
  s.layout.ownership = Ownership::interleaved;
  s.layout.kv_cache_tokens_per_block = 8;
  DrawnCase(s).latent({0, 9}, 9, 1, after.data());
  EXPECT_EQ(before, after);
  s.problem.data.seed = 43;
  DrawnCase(s).latent({0, 9}, 9, 1, after.data());
  EXPECT_NE(before, after);
}

TEST(DrawnCase, MergePartialsAreEmptyOrFinite) {
  Scenario s = small_layer();
  s.problem.entry = Entry::merge;
  s.problem.ctx_len.assign(40, 0);
  s.layout.kvp = 5;
  const Partials partials = DrawnCase(s).partials();
  const std::vector<double> lse = widen(partials.lse), o = widen(partials.o);
  int empty = 0;
  for (std::size_t i = 0; i < lse.size(); ++i) {
    const bool is_empty = std::isinf(lse[i]);
    empty += is_empty;
    EXPECT_TRUE(is_empty || std::abs(lse[i]) <= 4);
    for (std::size_t j = 0; j < 64; ++j) EXPECT_EQ(std::isnan(o[i * 64 + j]), is_empty);
  }
  EXPECT_NEAR(static_cast<double>(empty) / static_cast<double>(lse.size()), 0.25, 0.06);
}

TEST(DrawnCase, RopedGainIsInTheRopedRowsOfKvA) {
  Scenario s = small_layer();
  const std::vector<double> plain = widen(DrawnCase(s).weights().kv_a);
  s.problem.data.k_pe_gain = 16;
  const DrawnCase gained(s);
  const std::vector<double> kv_a = widen(gained.weights().kv_a);
  for (std::size_t i = 0; i < kv_a.size(); ++i) {
    ASSERT_NEAR(kv_a[i], (i / 256 < 64 ? 1 : 16) * plain[i], 1e-6) << i;
  }
  expect_uniform(gained.weights().q_a, std::sqrt(6.0 / 256));
}

TEST(DrawnCase, EqualRequestsAreEqual) {
  Scenario s = small_layer();
  s.problem.data.equal_requests = true;
  const DrawnCase layer(s);
  std::vector<std::byte> first(3 * 256 * 4), second(first.size());
  layer.hidden({0, 5}, 3, first.data());
  layer.hidden({7, 5}, 3, second.data());
  EXPECT_EQ(first, second);

  s.problem.entry = Entry::merge;
  s.problem.ctx_len.assign(6, 0);
  s.layout.kvp = 5;
  const Partials partials = DrawnCase(s).partials();
  const std::size_t row_o = 4 * 64 * 4, row_lse = 4 * 4;  // bytes of one row, 4 heads
  for (std::size_t row = 0; row < 30; ++row) {            // 5 parts of 6 rows
    const auto same = [row](const Tensor& tensor, std::size_t bytes) {
      const auto begin = tensor.bytes.begin() + static_cast<std::ptrdiff_t>(row / 6 * 6 * bytes);
      const auto own = tensor.bytes.begin() + static_cast<std::ptrdiff_t>(row * bytes);
      return std::equal(own, own + static_cast<std::ptrdiff_t>(bytes), begin);
    };
    EXPECT_TRUE(same(partials.o, row_o)) << row;
    EXPECT_TRUE(same(partials.lse, row_lse)) << row;
  }
}

}  // namespace
}  // namespace helixcheck
