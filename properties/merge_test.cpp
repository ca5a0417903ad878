// The algebra of merging partial results.

#include <gtest/gtest.h>

#include "rapidcheck.hpp"

namespace helixcheck {
namespace {

TEST(Merge, Permutation) {
  check_property("merge_permutation");
}
TEST(Merge, Association) {
  check_property("merge_association");
}
TEST(Merge, Shift) {
  check_property("merge_shift");
}
TEST(Merge, Gauge) {
  check_property("merge_gauge");
}
TEST(Merge, Empty) {
  check_property("merge_empty");
}

}  // namespace
}  // namespace helixcheck
