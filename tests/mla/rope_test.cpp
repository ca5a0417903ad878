// Resolved RoPE parameters against values worked out by hand from published model configurations.

#include "mla/rope.hpp"

#include <cmath>

#include "gtest/gtest.h"

namespace helixcheck {
namespace {

// DeepSeek-V3: base 1e4, factor 40 over 4096 tokens, beta 32 and 1, both mscales 1.
Problem deepseek_v3() {
  Problem problem;
  problem.rope_scaling = RopeScaling{};
  return problem;
}

Problem kimi_k2() {
  Problem problem = deepseek_v3();
  problem.rope_theta = 5e4;
  problem.rope_scaling->factor = 32;
  problem.rope_scaling->beta_fast = 1;
  return problem;
}

// How much of pair j's frequency is kept: 1 = not interpolated, 0 = divided by the factor.
double kept(const Problem& problem, std::size_t j) {
  const double plain =
      std::pow(problem.rope_theta,
               -static_cast<double>(2 * j) / static_cast<double>(problem.qk_rope_head_dim));
  const double interpolated = plain / problem.rope_scaling->factor;
  return (resolve_rope(problem).inv_freq[j] - interpolated) / (plain - interpolated);
}

TEST(Rope, PlainFrequenciesAndScale) {
  Problem problem;
  const RopeTable table = resolve_rope(problem);
  ASSERT_EQ(table.inv_freq.size(), 32u);
  EXPECT_EQ(table.inv_freq[0], 1.0);
  EXPECT_NEAR(table.inv_freq[16], 1e-2, 1e-16);
  EXPECT_NEAR(table.inv_freq[31], std::pow(1e4, -62.0 / 64), 1e-18);
  EXPECT_EQ(table.cos_scale, 1.0);
  EXPECT_NEAR(table.softmax_scale, 0.0721688, 5e-8);  // 192^-1/2
}

// The ramp runs from pair 10 (corr = 10.4722) to pair 23 (22.5134).
TEST(Rope, DeepSeekV3RampBoundaries) {
  const Problem problem = deepseek_v3();
  EXPECT_NEAR(kept(problem, 10), 1.0, 1e-12);
  EXPECT_NEAR(kept(problem, 11), 1.0 - 1.0 / 13, 1e-12);
  EXPECT_NEAR(kept(problem, 22), 1.0 / 13, 1e-12);
  EXPECT_NEAR(kept(problem, 23), 0.0, 1e-12);
  EXPECT_NEAR(kept(problem, 31), 0.0, 1e-12);
}

// Equal betas give corr = 19.1646 twice: a step from pair 19 to pair 20.
TEST(Rope, KimiK2IsAStep) {
  const Problem problem = kimi_k2();
  EXPECT_NEAR(kept(problem, 19), 1.0, 1e-12);
  EXPECT_NEAR(kept(problem, 20), 0.0, 1e-12);
}

TEST(Rope, KimiK25RampBoundaries) {
  Problem problem = kimi_k2();
  problem.rope_scaling->beta_fast = 32;
  EXPECT_NEAR(kept(problem, 8), 1.0, 1e-12);
  EXPECT_NEAR(kept(problem, 9), 1.0 - 1.0 / 12, 1e-12);
  EXPECT_NEAR(kept(problem, 19), 1.0 / 12, 1e-12);
  EXPECT_NEAR(kept(problem, 20), 0.0, 1e-12);
}

// Both ends at pair 0: a step just above it.
TEST(Rope, CoincidingBoundariesDoNotDivideByZero) {
  Problem problem = deepseek_v3();
  problem.rope_scaling->original_max_position_embeddings = 6;  // corr(1) = -0.16
  EXPECT_NEAR(kept(problem, 0), 1.0, 1e-12);
  EXPECT_NEAR(kept(problem, 1), 0.0, 1e-12);
}

// The published formula does not clamp the upper end to 0: below it, nothing is interpolated.
TEST(Rope, AnOriginalContextOfLessThanOneTurnKeepsEveryFrequency) {
  Problem problem = deepseek_v3();
  problem.rope_scaling->original_max_position_embeddings = 4;  // corr(1) = -1.57
  for (const std::size_t j : {0u, 1u, 31u}) EXPECT_NEAR(kept(problem, j), 1.0, 1e-12) << j;
}

TEST(Rope, SoftmaxScalesOfPublishedModels) {
  EXPECT_NEAR(resolve_rope(deepseek_v3()).softmax_scale, 0.135234, 5e-7);
  EXPECT_NEAR(resolve_rope(kimi_k2()).softmax_scale, 0.130861, 5e-7);
  Problem lite = deepseek_v3();
  lite.rope_scaling->mscale = lite.rope_scaling->mscale_all_dim = 0.707;
  EXPECT_NEAR(resolve_rope(lite).softmax_scale, 0.114721, 5e-7);
  Problem thinking = kimi_k2();
  thinking.rope_scaling->factor = 64;
  EXPECT_NEAR(resolve_rope(thinking).softmax_scale, 0.144680, 5e-7);
  Problem glm;
  glm.qk_nope_head_dim = 192;
  EXPECT_EQ(resolve_rope(glm).softmax_scale, 0.0625);
}

// mscale(40, 1) = 1.368888.
TEST(Rope, CosScaleFollowsWhichMscalesAreSet) {
  constexpr double kFull = 1.3688879454113937;
  Problem problem = deepseek_v3();
  EXPECT_EQ(resolve_rope(problem).cos_scale, 1.0);
  problem.rope_scaling->mscale_all_dim = 0.5;
  EXPECT_NEAR(resolve_rope(problem).cos_scale, kFull / (1 + (kFull - 1) / 2), 1e-15);
  const double plain = 1 / std::sqrt(192.0);
  for (const std::optional<double> unset : {std::optional<double>{}, std::optional<double>{0.0}}) {
    problem = deepseek_v3();
    problem.rope_scaling->mscale = unset;
    EXPECT_NEAR(resolve_rope(problem).cos_scale, kFull, 1e-15);
    EXPECT_NEAR(resolve_rope(problem).softmax_scale, plain * kFull * kFull, 1e-15);
    problem = deepseek_v3();
    problem.rope_scaling->mscale_all_dim = unset;
    EXPECT_NEAR(resolve_rope(problem).cos_scale, kFull, 1e-15);
    EXPECT_NEAR(resolve_rope(problem).softmax_scale, plain, 1e-15);
  }
}

TEST(Rope, AFactorOfOneIsPlainRope) {
  Problem problem = deepseek_v3();
  problem.rope_scaling->factor = 1;
  problem.rope_scaling->mscale_all_dim.reset();
  const RopeTable table = resolve_rope(problem);
  const RopeTable plain = resolve_rope(Problem{});
  for (std::size_t j = 0; j < plain.inv_freq.size(); ++j) {
    EXPECT_DOUBLE_EQ(table.inv_freq[j], plain.inv_freq[j]);
  }
  EXPECT_EQ(table.cos_scale, 1.0);
  EXPECT_EQ(table.softmax_scale, plain.softmax_scale);
}

TEST(Rope, AGivenSoftmaxScaleWins) {
  Problem problem = deepseek_v3();
  problem.softmax_scale = 0.25;
  EXPECT_EQ(resolve_rope(problem).softmax_scale, 0.25);
}

}  // namespace
}  // namespace helixcheck
