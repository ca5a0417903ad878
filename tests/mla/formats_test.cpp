// The number formats against independent definitions: every code's value from its fields by ldexp,
// every rounding by a search among neighbouring values, conversions from float against those from
// double. fp16, bf16 and fp8-e4m3 are covered code by code.

#include "mla/formats.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace helixcheck {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr Dtype kAll[] = {Dtype::fp32, Dtype::fp16, Dtype::bf16, Dtype::fp8_e4m3};
constexpr Dtype kSmall[] = {Dtype::fp16, Dtype::bf16, Dtype::fp8_e4m3};

// A format by its published numbers, independent of the code under test.
struct Fields {
  int exponent_bits;
  int mantissa_bits;
  bool has_infinity;
  std::uint32_t nan;
  int bias() const { return (1 << (exponent_bits - 1)) - 1; }
  std::uint32_t sign() const { return 1u << (exponent_bits + mantissa_bits); }
};

Fields fields(Dtype dtype) {
  switch (dtype) {
    case Dtype::fp32: return {8, 23, true, 0x7fc00000};
    case Dtype::fp16: return {5, 10, true, 0x7e00};
    case Dtype::bf16: return {8, 7, true, 0x7fc0};
    case Dtype::fp8_e4m3: break;
  }
  return {4, 3, false, 0x7f};
}

double value_of(Dtype dtype, std::uint32_t code) {
  const Fields f = fields(dtype);
  const double sign = code & f.sign() ? -1.0 : 1.0;
  const int exponent = static_cast<int>((code & (f.sign() - 1)) >> f.mantissa_bits);
  const int mantissa = static_cast<int>(code & ((1u << f.mantissa_bits) - 1));
  const bool top = exponent == (1 << f.exponent_bits) - 1;
  if (f.has_infinity && top) return mantissa == 0 ? sign * kInf : kNan;
  if (!f.has_infinity && (code & (f.sign() - 1)) == f.nan) return kNan;
  const int hidden = exponent == 0 ? 0 : 1 << f.mantissa_bits;
  const int scale = std::max(exponent, 1) - f.bias() - f.mantissa_bits;
  return sign * std::ldexp(hidden + mantissa, scale);
}

// Nearest value by search among all non-negative finite ones, ties to the even code; beyond the
// largest one, the next binade step decides about infinity.
class SearchRounding {
 public:
  explicit SearchRounding(Dtype dtype) : dtype_(dtype) {
    for (std::uint32_t code = 0; std::isfinite(value_of(dtype, code)); ++code) {
      values_.push_back(value_of(dtype, code));
    }
  }

  std::uint32_t encode(double x) const {
    const Fields f = fields(dtype_);
    if (std::isnan(x)) return f.nan;
    const std::uint32_t sign = std::signbit(x) ? f.sign() : 0;
    return nearest(std::fabs(x), f.has_infinity) | sign;
  }

  const std::vector<double>& values() const { return values_; }

 private:
  std::uint32_t nearest(double x, bool has_infinity) const {
    const auto last = static_cast<std::uint32_t>(values_.size() - 1);
    if (x >= values_[last]) {
      const double half_step = (values_[last] - values_[last - 1]) / 2;
      return has_infinity && x >= values_[last] + half_step ? last + 1 : last;
    }
    const auto above = std::upper_bound(values_.begin(), values_.end(), x);
    const auto high = static_cast<std::uint32_t>(above - values_.begin());
    const double down = x - values_[high - 1];
    const double up = values_[high] - x;  // both exact: neighbours share a spacing
    if (down != up) return down < up ? high - 1 : high;
    return high % 2 == 0 ? high : high - 1;
  }

  Dtype dtype_;
  std::vector<double> values_;
};

TEST(Formats, TraitsAreThoseOfTheFields) {
  for (const Dtype dtype : kAll) {
    const Fields f = fields(dtype);
    const FormatTraits& t = traits(dtype);
    const std::uint32_t max_code = f.has_infinity ? f.sign() - (1u << f.mantissa_bits) - 1 : 0x7e;
    EXPECT_EQ(t.mantissa_bits, f.mantissa_bits);
    EXPECT_EQ(t.unit, std::ldexp(1.0, -f.mantissa_bits - 1));
    EXPECT_EQ(t.min_subnormal, value_of(dtype, 1));
    EXPECT_EQ(t.min_normal, value_of(dtype, 1u << f.mantissa_bits));
    EXPECT_EQ(t.max_finite, value_of(dtype, max_code));
    EXPECT_EQ(size_of(dtype) * 8, 1u + f.exponent_bits + f.mantissa_bits);
  }
  EXPECT_EQ(traits(Dtype::fp8_e4m3).max_finite, 448.0);
  EXPECT_EQ(traits(Dtype::fp16).max_finite, 65504.0);
}

TEST(Formats, EveryCodeHasItsValueAndEncodesBack) {
  for (const Dtype dtype : kSmall) {
    const Fields f = fields(dtype);
    for (std::uint32_t code = 0; code < 2 * f.sign(); ++code) {
      const double value = decode(dtype, code);
      const double expected = value_of(dtype, code);
      if (std::isnan(expected)) {
        ASSERT_TRUE(std::isnan(value)) << code;
        ASSERT_EQ(encode(dtype, value), f.nan) << code;
        continue;
      }
      ASSERT_EQ(value, expected) << code;
      ASSERT_EQ(std::signbit(value), (code & f.sign()) != 0) << code;
      const bool infinite = std::isinf(value);
      ASSERT_EQ(encode(dtype, value), code) << infinite;
    }
  }
}

TEST(Formats, Fp32CodesAreFloats) {
  std::mt19937 words(1);
  for (int i = 0; i < 1000000; ++i) {
    const std::uint32_t code = words();
    const float value = std::bit_cast<float>(code);
    if (std::isnan(value)) continue;
    ASSERT_EQ(decode(Dtype::fp32, code), double{value});
    ASSERT_EQ(encode(Dtype::fp32, value), code);
  }
}

// At and next to the midpoint of every pair of neighbours, and of the largest value and infinity.
TEST(Formats, MidpointsRoundToEvenAndNothingElseDoes) {
  for (const Dtype dtype : kSmall) {
    const SearchRounding search(dtype);
    const std::vector<double>& values = search.values();
    const std::uint32_t sign = fields(dtype).sign();
    for (std::uint32_t low = 0; low + 1 < values.size(); ++low) {
      const double middle = (values[low] + values[low + 1]) / 2;  // exact in double
      const std::uint32_t even = low % 2 == 0 ? low : low + 1;
      ASSERT_EQ(encode(dtype, middle), even) << middle;
      ASSERT_EQ(encode(dtype, -middle), even | sign) << middle;
      ASSERT_EQ(encode(dtype, std::nextafter(middle, 0.0)), low) << middle;
      ASSERT_EQ(encode(dtype, std::nextafter(middle, kInf)), low + 1) << middle;
    }
  }
}

TEST(Formats, OverflowStartsHalfAStepAboveTheLargestValue) {
  for (const Dtype dtype : {Dtype::fp32, Dtype::fp16, Dtype::bf16}) {
    const double largest = traits(dtype).max_finite;
    const double threshold = largest + half_ulp(dtype, largest);
    EXPECT_EQ(round_to(dtype, std::nextafter(threshold, 0.0)), largest);
    EXPECT_EQ(round_to(dtype, threshold), kInf);  // a tie, and the largest code is odd
    EXPECT_EQ(round_to(dtype, -threshold), -kInf);
    EXPECT_EQ(round_to(dtype, 1e300), kInf);
    EXPECT_EQ(round_to(dtype, -kInf), -kInf);
  }
  for (const double x : {448.0, 463.9, 464.0, 480.0, 1e300, kInf}) {
    EXPECT_EQ(encode(Dtype::fp8_e4m3, x), 0x7eu) << x;
    EXPECT_EQ(encode(Dtype::fp8_e4m3, -x), 0xfeu) << x;
  }
}

TEST(Formats, NanOfAnySignAndPayloadHasOneCode) {
  for (const Dtype dtype : kAll) {
    for (const std::uint64_t bits :
         {0x7ff8000000000000u, 0xfff8000000000000u, 0x7ff8000000000001u, 0xffffffffffffffffu}) {
      EXPECT_EQ(encode(dtype, std::bit_cast<double>(bits)), fields(dtype).nan);
    }
    for (const std::uint32_t bits : {0x7fc00000u, 0xffc00000u, 0xffffffffu, 0x7fc00001u}) {
      const float nan = std::bit_cast<float>(bits);
      std::uint32_t code = 0;
      encode_from(dtype, std::span<const float>(&nan, 1), &code);
      EXPECT_EQ(code, fields(dtype).nan);
    }
  }
}

TEST(Formats, ZeroKeepsItsSign) {
  for (const Dtype dtype : kAll) {
    EXPECT_EQ(encode(dtype, 0.0), 0u);
    EXPECT_EQ(encode(dtype, -0.0), fields(dtype).sign());
    EXPECT_EQ(encode(dtype, -1e-300), fields(dtype).sign());
    EXPECT_TRUE(std::signbit(decode(dtype, fields(dtype).sign())));
  }
}

// Random doubles with exponents spread over and beyond the format's range.
TEST(Formats, RandomValuesRoundAsASearchDoes) {
  std::mt19937_64 words(7);
  for (const Dtype dtype : kSmall) {
    const SearchRounding search(dtype);
    const int low = std::ilogb(traits(dtype).min_subnormal) - 3;
    const int high = std::ilogb(traits(dtype).max_finite) + 2;
    for (int i = 0; i < 500000; ++i) {
      const std::uint64_t word = words();
      const int exponent = low + static_cast<int>(words() % static_cast<unsigned>(high - low + 1));
      const double x = std::ldexp(1.0 + static_cast<double>(word >> 12) * 0x1p-52, exponent) *
                       (word & 1 ? -1 : 1);
      ASSERT_EQ(encode(dtype, x), search.encode(x)) << std::hexfloat << x;
    }
  }
}

// The table would have 2^31 entries: the neighbours of fp32 come from nextafter instead.
TEST(Formats, RandomDoublesRoundToTheNearestFloat) {
  std::mt19937_64 words(8);
  for (int i = 0; i < 1000000; ++i) {
    const std::uint64_t word = words();
    const int exponent = -152 + static_cast<int>(words() % 279);
    const double x = std::ldexp(1.0 + static_cast<double>(word >> 12) * 0x1p-52, exponent);
    const double y = round_to(Dtype::fp32, x);
    const auto code = std::bit_cast<std::uint32_t>(static_cast<float>(y));
    const double below =
        code == 0 ? -traits(Dtype::fp32).min_subnormal : double{std::bit_cast<float>(code - 1)};
    const double above = std::bit_cast<float>(code + 1);
    ASSERT_LE(std::fabs(x - y), std::fabs(x - below)) << std::hexfloat << x;
    ASSERT_LE(std::fabs(x - y), std::fabs(x - above)) << std::hexfloat << x;
    ASSERT_LE(std::fabs(x - y), half_ulp(Dtype::fp32, x)) << std::hexfloat << x;
  }
}

// Rounding through float first would break these ties the wrong way.
TEST(Formats, NoDoubleRounding) {
  EXPECT_EQ(round_to(Dtype::bf16, 1 + 0x1p-8 + 0x1p-40), 1 + 0x1p-7);
  EXPECT_EQ(round_to(Dtype::bf16, 1 + 3 * 0x1p-8 - 0x1p-40), 1 + 0x1p-7);
  EXPECT_EQ(round_to(Dtype::fp16, 1 + 0x1p-11 + 0x1p-40), 1 + 0x1p-10);
  EXPECT_EQ(round_to(Dtype::fp8_e4m3, 1 + 0x1p-4 + 0x1p-40), 1.125);
  EXPECT_EQ(round_to(Dtype::fp32, 0x1p-150 + 0x1p-190), 0x1p-149);
  EXPECT_EQ(round_to(Dtype::fp32, 0x1p-150), 0.0);
}

TEST(Formats, HalfUlpIsHalfTheDistanceToTheNextValue) {
  for (const Dtype dtype : kSmall) {
    const SearchRounding search(dtype);
    const std::vector<double>& values = search.values();
    for (std::size_t i = 0; i + 1 < values.size(); ++i) {
      const double half = (values[i + 1] - values[i]) / 2;
      ASSERT_EQ(half_ulp(dtype, values[i]), half) << values[i];
      ASSERT_EQ(half_ulp(dtype, -std::nextafter(values[i + 1], 0.0)), half) << values[i];
    }
  }
  EXPECT_EQ(half_ulp(Dtype::fp32, 1.0), 0x1p-24);
  EXPECT_EQ(half_ulp(Dtype::fp32, 1e-40), 0x1p-150);
}

// Floats of every exponent, special values included; every conversion from float must agree with
// the one from the same value as a double. Odd offsets check that no alignment is needed.
TEST(Formats, ArraysAgreeWithSingleValuesWhateverTheSourceType) {
  std::mt19937 words(9);
  std::vector<float> floats(200001);
  for (float& x : floats) x = std::bit_cast<float>(static_cast<std::uint32_t>(words()));
  for (int exponent = -150; exponent < 128; ++exponent) {
    floats.push_back(std::ldexp(1.0f, exponent));
    floats.push_back(-std::ldexp(1.0f, exponent));
  }
  for (const float x : {0.0f, -0.0f, INFINITY, -INFINITY, NAN}) floats.push_back(x);
  const std::vector<double> doubles(floats.begin(), floats.end());
  for (const Dtype dtype : kAll) {
    std::vector<std::byte> from_float(floats.size() * size_of(dtype) + 1);
    std::vector<std::byte> from_double(from_float.size());
    encode_from(dtype, std::span<const float>(floats), from_float.data() + 1);
    encode_from(dtype, std::span<const double>(doubles), from_double.data() + 1);
    ASSERT_EQ(from_float, from_double);
    std::vector<float> as_float(floats.size());
    std::vector<double> as_double(floats.size());
    decode_to(dtype, from_float.data() + 1, std::span<float>(as_float));
    decode_to(dtype, from_float.data() + 1, std::span<double>(as_double));
    for (std::size_t i = 0; i < floats.size(); ++i) {
      const std::uint32_t code =
          load_code(dtype, from_float.data() + 1, static_cast<std::int64_t>(i));
      ASSERT_EQ(code, encode(dtype, doubles[i])) << doubles[i];
      const auto expected = std::bit_cast<std::uint64_t>(decode(dtype, code));
      ASSERT_EQ(std::bit_cast<std::uint64_t>(as_double[i]), expected) << doubles[i];
      ASSERT_EQ(std::bit_cast<std::uint64_t>(double{as_float[i]}), expected) << doubles[i];
    }
  }
}

TEST(Formats, StoredCodesLeaveTheirNeighboursAlone) {
  for (const Dtype dtype : kAll) {
    std::vector<std::byte> bytes(5 * size_of(dtype), std::byte{0});
    store_code(dtype, bytes.data(), 2, encode(dtype, -1.5));
    for (std::int64_t i = 0; i < 5; ++i) {
      EXPECT_EQ(decode(dtype, load_code(dtype, bytes.data(), i)), i == 2 ? -1.5 : 0.0);
    }
  }
}

#ifdef __FLT16_MAX__
TEST(Formats, Fp16AgreesWithTheCompilersOwn) {
  for (std::uint32_t code = 0; code < 0x7c00; ++code) {
    const auto own = std::bit_cast<_Float16>(static_cast<std::uint16_t>(code));
    ASSERT_EQ(decode(Dtype::fp16, code), static_cast<double>(own)) << code;
  }
}
#endif

}  // namespace
}  // namespace helixcheck
