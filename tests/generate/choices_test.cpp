// Choice sources: every number is below its limit and as likely as the others, counters say the
// same whatever was drawn before, and bytes that run out end in zeros.

#include "generate/choices.hpp"

#include <array>
#include <gtest/gtest.h>
#include <set>
#include <vector>

namespace helixcheck {
namespace {

std::vector<std::uint64_t> some(Choices& choices, std::size_t count = 40) {
  std::vector<std::uint64_t> numbers;
  while (numbers.size() < count) numbers.push_back(choices.below(1000003 + numbers.size()));
  return numbers;
}

std::vector<std::uint64_t> counted(std::uint64_t seed, std::uint64_t index, std::uint32_t lane) {
  CounterChoices choices(seed, index, lane);
  return some(choices);
}

// Answers with numbers that a test has prepared.
class Prepared : public Choices {
 public:
  explicit Prepared(std::vector<std::uint64_t> numbers) : numbers_(std::move(numbers)) {}
  std::uint64_t below(std::uint64_t limit) override {
    limits.push_back(limit);
    return numbers_.at(limits.size() - 1);
  }
  std::vector<std::uint64_t> limits;

 private:
  std::vector<std::uint64_t> numbers_;
};

constexpr std::array<std::uint64_t, 9> kLimits{
    1, 2, 3, 255, 256, 257, 0xffffffffu, 0x100000000u, ~std::uint64_t{0}};

TEST(Choices, AreBelowTheirLimit) {
  CounterChoices counter(1, 2);
  std::vector<std::uint8_t> all(4000, 0xff);
  for (std::size_t i = 0; i < all.size(); i += 3) all[i] = static_cast<std::uint8_t>(i);
  ByteChoices bytes(all);
  for (const std::uint64_t limit : kLimits) {
    for (int i = 0; i < 50; ++i) {
      EXPECT_LT(counter.below(limit), limit);
      EXPECT_LT(bytes.below(limit), limit);
    }
  }
}

TEST(Choices, AreAllEquallyLikely) {
  CounterChoices choices(3, 4);
  std::array<int, 6> counts{};
  for (int i = 0; i < 60000; ++i) ++counts[choices.below(6)];
  for (const int count : counts) EXPECT_NEAR(count, 10000, 500);  // over five sigma
  int high = 0;  // beyond 32 bits, the top of the range as often as the rest
  for (int i = 0; i < 1000; ++i) high += choices.below(std::uint64_t{1} << 40) >> 39 ? 1 : 0;
  EXPECT_NEAR(high, 500, 100);
}

TEST(Choices, OfOneKindAreDerivedFromNumbers) {
  Prepared p({0, 6, 0, 3, 2, 1});
  EXPECT_EQ(p.between(-3, 3), -3);
  EXPECT_EQ(p.between(-3, 3), 3);
  EXPECT_FALSE(p.one_in(4)) << "choice 0 is the plain one";
  EXPECT_TRUE(p.one_in(4));
  EXPECT_EQ(p.of({5, 7, 9}), 9);
  EXPECT_EQ(p.of({5, 7, 9}), 7);
  EXPECT_EQ(p.limits, (std::vector<std::uint64_t>{7, 7, 4, 4, 3, 3}));
}

TEST(Choices, LogUniformOnesHitBothEndsAndEveryOctave) {
  CounterChoices choices(5, 6);
  std::set<std::int64_t> seen;
  std::array<int, 7> octaves{};  // 2, 4, 8 .. 64
  for (int i = 0; i < 30000; ++i) {
    const std::int64_t length = choices.log_between(2, 100);
    ASSERT_GE(length, 2);
    ASSERT_LE(length, 100);
    seen.insert(length);
    for (int octave = 1; octave <= 6; ++octave) {
      octaves[static_cast<std::size_t>(octave)] += length >> octave == 1 ? 1 : 0;
    }
  }
  EXPECT_EQ(seen.size(), 99u);
  for (std::size_t octave = 1; octave <= 6; ++octave) EXPECT_NEAR(octaves[octave], 5000, 400);
  EXPECT_EQ(choices.log_between(7, 7), 7);
  const std::int64_t largest = std::int64_t{1} << 62;
  EXPECT_LE(choices.log_between(1, largest), largest);
}

TEST(CounterChoices, FollowFromSeedIndexAndLaneAlone) {
  EXPECT_EQ(counted(1, 2, 3), counted(1, 2, 3));
  const std::set<std::vector<std::uint64_t>> all{counted(1, 2, 3),
                                                 counted(2, 2, 3),
                                                 counted(1, 3, 3),
                                                 counted(1, 2, 4),
                                                 counted(1 + (std::uint64_t{1} << 32), 2, 3),
                                                 counted(1, 2 + (std::uint64_t{1} << 32), 3)};
  EXPECT_EQ(all.size(), 6u) << "each of them matters, its upper half too";
}

TEST(CounterChoices, SpendNothingOnASingleChoice) {
  CounterChoices plain(1, 2), asked(1, 2);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(asked.below(1), 0u);
  EXPECT_EQ(some(plain), some(asked));
}

TEST(ByteChoices, TakeAsManyBytesAsALimitNeeds) {
  const std::vector<std::uint8_t> bytes{9, 1, 2, 200, 7};
  ByteChoices choices(bytes);
  EXPECT_EQ(choices.below(1), 0u) << "no byte";
  EXPECT_EQ(choices.below(256), 9u) << "one byte";
  EXPECT_EQ(choices.below(257), 258u % 257) << "two bytes";
  EXPECT_EQ(choices.below(100), 200u % 100);
  EXPECT_EQ(choices.below(10), 7u);
}

TEST(ByteChoices, AreZeroOnceTheBytesAreUsedUp) {
  const std::vector<std::uint8_t> bytes{1};
  ByteChoices choices(bytes), empty{std::span<const std::uint8_t>()};
  EXPECT_EQ(choices.below(65536), 256u) << "the byte that is left, then zeros";
  for (const std::uint64_t limit : kLimits) {
    EXPECT_EQ(choices.below(limit), 0u);
    EXPECT_EQ(empty.below(limit), 0u);
  }
}

}  // namespace
}  // namespace helixcheck
