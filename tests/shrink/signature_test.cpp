#include "shrink/signature.hpp"

#include <gtest/gtest.h>

namespace helixcheck {
namespace {

TEST(Signature, TextNamesAllFourParts) {
  EXPECT_EQ(to_text({"equivalence", "cpu", "value", "attend"}), "equivalence/cpu/value/attend");
  EXPECT_EQ(to_text({"page_order", "cpu", "relation", ""}), "page_order/cpu/relation/-");
}

}  // namespace
}  // namespace helixcheck
