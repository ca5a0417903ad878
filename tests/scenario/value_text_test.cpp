// Single values as text: every bit survives, and nothing half-right is read.

#include "scenario/value_text.hpp"

#include <array>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>

namespace helixcheck {
namespace {

TEST(ValueText, WritesNumbersShortestAndReadsThemBack) {
  EXPECT_EQ(to_text(0.1), "0.1");
  EXPECT_EQ(to_text(4.0), "4.0");
  EXPECT_EQ(to_text(-0.0), "-0.0");
  EXPECT_EQ(to_text(1e-6), "1e-06");
  std::mt19937_64 engine(5);
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t bits = engine();
    double value = 0, read = 0;
    static_assert(sizeof value == sizeof bits);
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) continue;
    ASSERT_TRUE(from_text(to_text(value), read));
    ASSERT_EQ(std::memcmp(&read, &value, sizeof value), 0);
  }
}

TEST(ValueText, RefusesWhatIsNotWhollyTheType) {
  double number = 7;
  for (const char* text : {"", " 1", "1 ", "+1", "1,5", "0x1p3", "inf", "-nan", "1e999", "1e"}) {
    EXPECT_FALSE(from_text(text, number)) << text;
  }
  std::int64_t integer = 7;
  for (const char* text : {"", "1.0", "1e3", "0x10", "9223372036854775808", "-"}) {
    EXPECT_FALSE(from_text(text, integer)) << text;
  }
  std::uint64_t seed = 7;
  for (const char* text : {"-1", "18446744073709551616"}) EXPECT_FALSE(from_text(text, seed));
  bool flag = true;
  for (const char* text : {"1", "True", ""}) EXPECT_FALSE(from_text(text, flag));
  EXPECT_EQ(number, 7);
  EXPECT_EQ(integer, 7);
  EXPECT_EQ(seed, 7u);
}

TEST(ValueText, QuotesForJsonAndCpp) {
  EXPECT_EQ(quote("a\"b\\c\n\x1f"
                  "é"),
            "\"a\\\"b\\\\c\\u000a\\u001fé\"");
}

TEST(ValueText, TellsPrintableText) {
  for (const char* good : {"", "plain ~", "é", "漢字", "\xF0\x9F\x98\x80", "\xED\x9F\xBF"}) {
    EXPECT_TRUE(is_printable(good)) << good;
  }
  for (const char* bad : {"\n", "\x7f", "\x80", "\xC3", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80",
                          "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "a\xE6\xBC"}) {
    EXPECT_FALSE(is_printable(bad)) << testing::PrintToString(bad);
  }
}

TEST(ValueText, FindsTheNearestName) {
  const std::array<std::string_view, 3> names{"num_heads", "hidden_size", "kvp"};
  EXPECT_EQ(nearest("num_head", names), "num_heads");
  EXPECT_EQ(nearest("hiden_size", names), "hidden_size");
  EXPECT_EQ(nearest("kpv", names), "kvp");
  EXPECT_EQ(nearest("temperature", names), std::nullopt);
}

TEST(ValueText, Splits) {
  EXPECT_EQ(split("a::b", ':'), (std::vector<std::string_view>{"a", "", "b"}));
  EXPECT_EQ(split("", ','), (std::vector<std::string_view>{""}));
}

}  // namespace
}  // namespace helixcheck
