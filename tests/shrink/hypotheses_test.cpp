#include "shrink/hypotheses.hpp"

#include <functional>
#include <gtest/gtest.h>

namespace helixcheck {
namespace {

std::string describe_numbers(const std::function<bool(int)>& fails, int low = 0, int high = 40) {
  std::vector<Trial> trials;
  for (int value = high; value >= low; --value) {
    trials.push_back({static_cast<double>(value), std::to_string(value), fails(value)});
  }
  return describe(trials, true, true);
}

TEST(Hypotheses, NumbersInWords) {
  EXPECT_EQ(describe_numbers([](int) { return true; }), "any");
  EXPECT_EQ(describe_numbers([](int v) { return v == 7; }), "== 7");
  EXPECT_EQ(describe_numbers([](int v) { return v >= 3; }), ">= 3");
  EXPECT_EQ(describe_numbers([](int v) { return v <= 3; }), "<= 3");
  EXPECT_EQ(describe_numbers([](int v) { return v >= 3 && v < 9; }), "3 to 8");
  EXPECT_EQ(describe_numbers([](int v) { return v != 5; }), "!= 5");
  EXPECT_EQ(describe_numbers([](int v) { return v % 3 == 1; }), "% 3 == 1");
  EXPECT_EQ(describe_numbers([](int v) { return v % 3 == 1 && v > 3; }), "% 3 == 1, >= 4");
  EXPECT_EQ(describe_numbers([](int v) { return v % 4 != 0; }), "% 4 != 0");
  EXPECT_EQ(describe_numbers([](int v) { return v % 16 >= 13; }), "% 16 >= 13");
}

TEST(Hypotheses, WhatFitsNoneIsListed) {
  EXPECT_EQ(describe_numbers([](int v) { return v == 2 || v == 5 || v == 11; }), "one of 2, 5, 11");
}

TEST(Hypotheses, ChoicesAreNeverCompared) {
  const std::vector<Trial> trials{
      {0, "fp32", false}, {1, "fp16", true}, {2, "bf16", true}, {3, "fp8", false}};
  EXPECT_EQ(describe(trials, false, false), "one of fp16, bf16");
  EXPECT_EQ(describe({{0, "nan", false}, {1, "inf", true}, {2, "huge", true}}, false, false),
            "!= nan");
}

}  // namespace
}  // namespace helixcheck
