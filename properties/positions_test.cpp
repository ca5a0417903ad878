// Rotary embeddings are relative.

#include <gtest/gtest.h>

#include "rapidcheck.hpp"

namespace helixcheck {
namespace {

TEST(Positions, Differences) {
  check_property("rope_differences", {"layer", [](Scenario& s) {
                                        if (s.problem.entry != Entry::layer) return;
                                        s.problem.prompt = Prompt::computed;
                                      }});
}

}  // namespace
}  // namespace helixcheck
