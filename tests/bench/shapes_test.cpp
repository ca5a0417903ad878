#include "bench/shapes.hpp"

#include <gtest/gtest.h>

#include "scenario/error.hpp"
#include "scenario/validate.hpp"

namespace helixcheck::bench {
namespace {

TEST(Shapes, OfAllListsAreValidScenarios) {
  for (const ShapeList& list : shape_lists()) {
    EXPECT_FALSE(list.shapes.empty()) << list.name;
    for (const Shape& shape : list.shapes) {
      const Scenario scenario = scenario_of({}, shape);
      EXPECT_EQ(find_error(scenario), std::nullopt);
      EXPECT_EQ(scenario.problem.batch(), shape.batch);
      EXPECT_EQ(scenario.problem.ctx_len.front() + 1, shape.ctx_len) << "the new token counts";
    }
  }
  EXPECT_EQ(find_shape_list("guide").shapes.size(), 5u);
  EXPECT_THROW(find_shape_list("other"), InputError);
}

TEST(Shapes, RefuseWhatCannotBeMeasured) {
  const auto refused = [](auto&& change, Shape shape = {}) {
    Scenario base;
    change(base);
    EXPECT_THROW(scenario_of(base, shape), InputError);
  };
  refused([](Scenario&) {}, {1, 32, 0, 2});
  refused([](Scenario&) {}, {1, 32, 64, 5});
  refused([](Scenario& s) { s.layout.tpa = 2; });
  refused([](Scenario& s) { s.layout.padding_rows = 1; });
  refused([](Scenario& s) { s.problem.entry = Entry::merge; });
}

}  // namespace
}  // namespace helixcheck::bench
