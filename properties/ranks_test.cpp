// How many ranks there are, who owns what and how they tell each other changes no result.

#include <gtest/gtest.h>

#include "rapidcheck.hpp"

namespace helixcheck {
namespace {

TEST(Ranks, Kvp) {
  check_property("ranks");
}
TEST(Ranks, Tpa) {
  check_property("tpa");
}
TEST(Ranks, Ownership) {
  check_property("ownership");
}
TEST(Ranks, LseForm) {
  check_property("lse_form");
}

}  // namespace
}  // namespace helixcheck
