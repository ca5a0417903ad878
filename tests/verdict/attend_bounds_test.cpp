// The bounds of `attend` against tiled fp32 attention with a running maximum, in the variants that
// contracts declare, over smooth, saturated, flat, offset and planted scores.

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <random>
#include <vector>

#include "mla/formats.hpp"
#include "mla/stages.hpp"
#include "verdict/bounds.hpp"

namespace helixcheck {
namespace {

using Values = std::vector<double>;

constexpr std::int64_t kLatent = 24, kRope = 8, kWidth = kLatent + kRope;
constexpr double kScale = 0.17677;

struct Kernel {
  bool round_p = false, sum_rounded = false;
  int tile = 64;
};

struct Case {
  Values q;                     // [kWidth]
  std::vector<std::byte> keys;  // bf16 [n, kWidth]
  std::int64_t n = 0;
  double key(std::int64_t i, std::int64_t j) const {
    return decode(Dtype::bf16, load_code(Dtype::bf16, keys.data(), i * kWidth + j));
  }
};

// `kind` picks the shape of the scores.
Case draw_case(std::mt19937& random, int kind, std::int64_t n) {
  std::normal_distribution<double> normal;
  const double gains[] = {1.0, 0.1, 8.0, 1.0, 1.0, 1e-3};
  Case c;
  c.n = n;
  for (std::int64_t j = 0; j < kWidth; ++j) {
    c.q.push_back(round_to(Dtype::bf16, gains[kind] * normal(random)));
  }
  Values keys;
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < kWidth; ++j) {
      const double offset = kind == 3                 ? 4.0
                            : kind == 4 && i == n / 2 ? 3 * c.q[keys.size() % kWidth]
                                                      : 0;
      keys.push_back(normal(random) + offset);
    }
  }
  c.keys.resize(keys.size() * 2);
  encode_from(Dtype::bf16, std::span<const double>(keys), c.keys.data());
  return c;
}

float dot8(const Case& c, std::int64_t key) {
  float lane[8] = {};
  for (std::int64_t j = 0; j < kWidth; ++j) {
    lane[j % 8] +=
        static_cast<float>(c.q[static_cast<std::size_t>(j)]) * static_cast<float>(c.key(key, j));
  }
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

struct Result {
  std::vector<float> o;
  double lse;
};

Result attend_fp32(const Case& c, const Kernel& kernel) {
  std::vector<float> sum_v(kLatent);
  float top = -INFINITY, sum = 0;
  for (std::int64_t begin = 0; begin < c.n; begin += kernel.tile) {
    const std::int64_t end = std::min<std::int64_t>(c.n, begin + kernel.tile);
    std::vector<float> p;
    float new_top = top;
    for (std::int64_t i = begin; i < end; ++i) {
      p.push_back(dot8(c, i) * static_cast<float>(kScale));
      new_top = std::max(new_top, p.back());
    }
    const float shrink = std::exp(top - new_top);
    float tile_sum = 0;
    for (float& v : p) {
      v = std::exp(v - new_top);
      const float rounded = kernel.round_p ? static_cast<float>(round_to(Dtype::bf16, v)) : v;
      tile_sum += kernel.sum_rounded ? rounded : v;
      v = rounded;
    }
    sum = sum * shrink + tile_sum;
    top = new_top;
    for (std::int64_t j = 0; j < kLatent; ++j) {
      float& acc = sum_v[static_cast<std::size_t>(j)];
      acc *= shrink;
      for (std::int64_t i = begin; i < end; i += 8) {  // keys in groups of eight
        float group = 0;
        for (std::int64_t k = i; k < std::min(i + 8, end); ++k) {
          group += p[static_cast<std::size_t>(k - begin)] * static_cast<float>(c.key(k, j));
        }
        acc += group;
      }
    }
  }
  for (float& v : sum_v) v /= sum;
  return {sum_v, static_cast<double>(top + std::log(sum))};
}

struct Worst {
  double value = 0, lse = 0;
};

Worst campaign(const Contract& contract, const Kernel& kernel, bool independent) {
  std::mt19937 random(11);
  Worst worst;
  for (int draw = 0; draw < 600; ++draw) {
    const int kind = draw % 6;
    const std::int64_t n = 1 + draw * 37 % 320;
    const Case c = draw_case(random, kind, n);
    const std::int64_t visible[] = {n};
    const stages::AttendResult exact =
        stages::attend(c.q, {Dtype::bf16, 1.0, c.keys.data()}, visible, 1, kLatent, kRope, kScale);
    bounds::AttendFacts facts;
    facts.head = exact.heads[0];
    facts.visible = n;
    facts.width = kWidth;
    facts.independent = independent;
    const bounds::ValueBound rule = bounds::attend_value(contract, facts);
    const Result got = attend_fp32(c, kernel);
    for (std::size_t j = 0; j < kLatent; ++j) {
      const double bound = rule(exact.square[j], exact.o[j], exact.sum_abs_v[j]);
      worst.value = std::max(worst.value, std::abs(got.o[j] - exact.o[j]) / bound);
    }
    const double tolerance =
        bounds::attend_lse(contract, facts) + half_ulp(Dtype::fp32, exact.heads[0].lse);
    worst.lse = std::max(worst.lse, std::abs(got.lse - exact.heads[0].lse) / tolerance);
  }
  return worst;
}

TEST(AttendBounds, HoldForFp32Arithmetic) {
  const Worst sound = campaign(find_contract("cpu"), {}, false);
  EXPECT_LE(sound.value, 1);
  EXPECT_LE(sound.lse, 1);
  EXPECT_GE(sound.value, 0.02);
  const Worst statistical = campaign(find_contract("cpu"), {}, true);
  EXPECT_LE(statistical.lse, 1);
  EXPECT_GE(statistical.lse, 0.1);
}

TEST(AttendBounds, HoldForRoundedProbabilities) {
  const Worst plain = campaign(find_contract("cpu_p16"), {true, false, 64}, true);
  EXPECT_LE(plain.value, 1);
  EXPECT_LE(plain.lse, 1);
  EXPECT_GE(plain.value, 0.05);
  const Worst summed = campaign(find_contract("flashinfer"), {true, true, 64}, true);
  EXPECT_LE(summed.value, 1);
  EXPECT_LE(summed.lse, 1);
  EXPECT_GE(summed.lse, 0.05);
}

TEST(AttendBounds, UnknownHoldsForAllOfThem) {
  for (const Kernel& kernel : {Kernel{}, Kernel{true, false, 16}, Kernel{true, true, 128}}) {
    const Worst worst = campaign(find_contract("unknown"), kernel, true);
    EXPECT_LE(worst.value, 1);
    EXPECT_LE(worst.lse, 1);
  }
}

TEST(AttendBounds, AWrongDeclarationShows) {
  EXPECT_GT(campaign(find_contract("cpu"), {true, false, 64}, true).value, 1);
  EXPECT_GT(campaign(find_contract("cpu_p16"), {true, true, 64}, true).lse, 1);
}

TEST(AttendBounds, ExactArithmeticLeavesOnlyTheDivision) {
  bounds::AttendFacts facts;
  facts.head.lse = std::log(12.0);
  facts.head.inv_n_eff = 1.0 / 12;
  facts.visible = 12;
  facts.width = kWidth;
  facts.exact_values = true;
  const bounds::ValueBound rule = bounds::attend_value(find_contract("cpu_p16"), facts);
  EXPECT_EQ(rule(1.0, 0.0, 12.0), 0);  // a sum that cancels is exactly 0
  EXPECT_LT(rule(1.0, 0.5, 12.0), 0x1p-22);
  facts.exact_values = false;
  EXPECT_GT(bounds::attend_value(find_contract("cpu_p16"), facts).magnitude, 0);
}

TEST(AttendBounds, ExactScoresNarrowTheBound) {
  bounds::AttendFacts facts;
  facts.head = {5.0, 4.0, 0.2, 40.0, 1.0};
  facts.visible = 20;
  facts.width = 576;
  const double wide = bounds::attend_lse(find_contract("cpu"), facts);
  facts.exact_scores = true;
  EXPECT_LT(bounds::attend_lse(find_contract("cpu"), facts), wide / 4);
}

}  // namespace
}  // namespace helixcheck
