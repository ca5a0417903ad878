// Names and enumerators are one to one and in declaration order: files and stores hold the names.

#include "scenario/names.hpp"

#include <gtest/gtest.h>

namespace helixcheck {
namespace {

template <typename Enum>
class EveryEnumeration : public testing::Test {};

using Enumerations = testing::Types<Dtype, Entry, Family, HeavyPlace, Prompt, Ownership,
                                    DecodeOwner, PageOrder, Poison, LseForm, WorldKind,
                                    TransportKind, Launch, Observe, VerdictRule, StepKind>;
TYPED_TEST_SUITE(EveryEnumeration, Enumerations);

TYPED_TEST(EveryEnumeration, HasNamesInDeclarationOrder) {
  int value = 0;
  for (const auto& entry : names<TypeParam>()) {
    EXPECT_EQ(static_cast<int>(entry.first), value++);
    EXPECT_EQ(name_of(entry.first), entry.second);
    EXPECT_EQ(parse_name<TypeParam>(entry.second), entry.first);
  }
  EXPECT_EQ(name_of(static_cast<TypeParam>(value)), "unknown");
  EXPECT_EQ(parse_name<TypeParam>("unknown"), std::nullopt);
  EXPECT_EQ(parse_name<TypeParam>(""), std::nullopt);
}

TEST(Names, AreThoseOfOtherTools) {
  EXPECT_EQ(name_of(Dtype::fp8_e4m3), "fp8_e4m3");
  EXPECT_EQ(name_of(HeavyPlace::shard_last), "shard_last");
  EXPECT_EQ(name_of(LseForm::max_sum), "max_sum");
  EXPECT_EQ(type_name<VerdictRule>(), "VerdictRule");
}

}  // namespace
}  // namespace helixcheck
