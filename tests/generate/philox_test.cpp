// Philox against the vectors its authors publish, and the rule that a row's words depend on their
// place alone.

#include "generate/philox.hpp"

#include <vector>

#include "gtest/gtest.h"

namespace helixcheck {
namespace {

TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox4x32_10({0, 0, 0, 0}, 0),
            (PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32_10({~0u, ~0u, ~0u, ~0u}, ~std::uint64_t{0}),
            (PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0x299f31d0a4093822),
            (PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

// Rows shorter than a block, longer than several vector chunks, and begun anywhere.
TEST(Philox, RowsAreWordsOfSingleBlocks) {
  constexpr std::uint64_t kKey = 0x0123456789abcdef;
  for (const std::uint32_t begin : {0u, 1u, 3u, 4u, 126u, 127u, 128u, 1000u}) {
    for (const std::size_t size : {0u, 1u, 4u, 5u, 127u, 128u, 129u, 130u, 300u, 576u}) {
      std::vector<std::uint32_t> row(size);
      philox_row(kKey, 7, 5, 3, begin, row);
      for (std::size_t i = 0; i < size; ++i) {
        const auto d = begin + static_cast<std::uint32_t>(i);
        ASSERT_EQ(row[i], philox4x32_10({d / 4, 3, 5, 7}, kKey)[d % 4]) << begin << " + " << i;
      }
    }
  }
}

TEST(Philox, CounterFieldsAreIndependent) {
  const auto first = [](std::uint64_t key, std::uint32_t tensor, std::uint32_t row,
                        std::uint32_t token) {
    std::uint32_t word = 0;
    philox_row(key, tensor, row, token, 0, {&word, 1});
    return word;
  };
  const std::uint32_t word = first(1, 2, 3, 4);
  EXPECT_NE(word, first(1 + (std::uint64_t{1} << 32), 2, 3, 4));
  EXPECT_NE(word, first(1, 3, 2, 4));
  EXPECT_NE(word, first(1, 2, 4, 3));
}

TEST(Philox, UnitIntervalIsExactInTwentyFourBits) {
  EXPECT_EQ(unit_interval(0), -1.0);
  EXPECT_EQ(unit_interval(0x80000000), 0.0);
  EXPECT_EQ(unit_interval(0x800000ff), 0.0);
  EXPECT_EQ(unit_interval(0x80000100), 0x1p-23);
  EXPECT_EQ(unit_interval(0xffffffff), 1.0 - 0x1p-23);
}

}  // namespace
}  // namespace helixcheck
