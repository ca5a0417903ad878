// What a softmax-weighted mean must be, whatever the weights.

#include <gtest/gtest.h>

#include "rapidcheck.hpp"

namespace helixcheck {
namespace {

void set_family(Scenario& s, Family family) {
  s.problem.data = Data{};
  s.problem.data.family = family;
}

TEST(Values, Convexity) {
  check_property("convexity");
}

TEST(Values, Constant) {
  check_property("constant_value",
                 {"constant", [](Scenario& s) { set_family(s, Family::constant); }});
}

TEST(Values, ShardConstant) {
  check_property("shard_value",
                 {"shard_constant", [](Scenario& s) { set_family(s, Family::shard_constant); }});
}

}  // namespace
}  // namespace helixcheck
