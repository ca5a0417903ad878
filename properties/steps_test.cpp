// The same tokens in other steps, in another order, again, or looked at.

#include <gtest/gtest.h>

#include "rapidcheck.hpp"

namespace helixcheck {
namespace {

TEST(Steps, RequestOrder) {
  check_property("request_order");
}
TEST(Steps, SplitSteps) {
  check_property("split_steps");
}
TEST(Steps, AppendIsPrompt) {
  check_property("append_is_prompt");
}
TEST(Steps, InstanceLife) {
  check_property("instance_life");
}
TEST(Steps, Observation) {
  check_property("observation");
}
TEST(Steps, Repetition) {
  check_property("repetition");
}

}  // namespace
}  // namespace helixcheck
