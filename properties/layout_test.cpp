// Where bytes lie, and what lies beside them, is nobody's business.

#include <gtest/gtest.h>

#include "rapidcheck.hpp"

namespace helixcheck {
namespace {

TEST(Layout, PageSize) {
  check_property("page_size");
}
TEST(Layout, PageOrder) {
  check_property("page_order");
}
TEST(Layout, CacheLayout) {
  check_property("cache_layout");
}
TEST(Layout, PaddingRows) {
  check_property("padding_rows");
}
TEST(Layout, Poison) {
  check_property("poison");
}

}  // namespace
}  // namespace helixcheck
