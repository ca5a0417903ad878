// The written forms of a softmax's statistics.

#include "verdict/lse_form.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace helixcheck {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(LseForm, AllThreeMeanTheSame) {
  const float ln[] = {2.5f}, log2[] = {4.0f}, max_sum[] = {1.5f, 8.0f};
  EXPECT_EQ(natural_lse(LseForm::ln, ln), 2.5);
  EXPECT_DOUBLE_EQ(natural_lse(LseForm::log2, log2), std::log(16.0));
  EXPECT_DOUBLE_EQ(natural_lse(LseForm::max_sum, max_sum), 1.5 + std::log(8.0));
}

TEST(LseForm, EmptyIsMinusInfinity) {
  const float one[] = {-kInfinity}, neutral[] = {-kInfinity, 0.0f};
  EXPECT_EQ(natural_lse(LseForm::ln, one), -kInfinity);
  EXPECT_EQ(natural_lse(LseForm::log2, one), -kInfinity);
  EXPECT_EQ(natural_lse(LseForm::max_sum, neutral), -kInfinity);
}

TEST(LseForm, ContradictionsAreNotNumbers) {
  const float sum_of_nothing[] = {-kInfinity, 2.0f}, negative[] = {1.0f, -2.0f};
  EXPECT_TRUE(std::isnan(natural_lse(LseForm::max_sum, sum_of_nothing)));
  EXPECT_TRUE(std::isnan(natural_lse(LseForm::max_sum, negative)));
}

}  // namespace
}  // namespace helixcheck
