// Every tap is within its bound of the fp64 reference.

#include <gtest/gtest.h>

#include "rapidcheck.hpp"

namespace helixcheck {
namespace {

TEST(Equivalence, OfTheWholeLayer) {
  check_property("equivalence", {"layer", [](Scenario& s) { s.run.observe = Observe::all; }});
}

}  // namespace
}  // namespace helixcheck
