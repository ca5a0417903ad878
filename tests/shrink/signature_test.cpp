#include "shrink/signature.hpp"

#include <gtest/gtest.h>

namespace helixcheck {
namespace {

TEST(Signature, TextNamesAllFourParts) {
  EXPECT_EQ(to_text({"equivalence", "cpu", "value", "attend"}), "equivalence/cpu/value/attend");
  EXPECT_EQ(to_text({"page_order", "cpu", "relation", ""}), "page_order/cpu/relation/-");
}

TEST(Signature, TextIsReadBack) {
  for (const Signature& signature : {
           Signature{"equivalence", "cpu", "value", "attend"},
           Signature{"page_order", "cpu", "relation", ""},
           Signature{"ranks", "cpu+my/kernel/v2", "crash", "plan"},
           Signature{"ranks", "a//b", "out_of_memory", ""},
           Signature{"", "", "", ""},
       }) {
    EXPECT_EQ(parse_signature(to_text(signature)), signature) << to_text(signature);
  }
}

TEST(Signature, OtherTextIsNone) {
  for (const char* text : {"", "/", "//", "value", "equivalence/cpu", "equivalence/cpu/value",
                           "equivalence/cpu/value/", "/cpu/value", "-"}) {
    EXPECT_EQ(parse_signature(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace helixcheck
