#include "shrink/order.hpp"

#include <gtest/gtest.h>

#include "failing.hpp"
#include "shrink/lowering.hpp"

namespace helixcheck {
namespace {

TEST(Order, LoweringAnySingleCellIsSimpler) {
  for (std::uint64_t index = 0; index < 40; ++index) {
    const Scenario s = draw_scenario(3, index);
    Scenario copy = s;
    const std::vector<Cell> all = cells(copy);
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].is("entry") || all[i].is("rope_scaling")) continue;
      for (const std::uint64_t rank : {std::uint64_t{0}, all[i].rank() / 2}) {
        if (rank >= all[i].rank()) continue;
        const std::optional<Scenario> lower = with_rank(s, i, rank);
        if (!lower) continue;
        EXPECT_LT(complexity(*lower), complexity(s)) << all[i].path();
      }
    }
  }
}

TEST(Order, EntryThenScriptThenBatch) {
  Scenario plain;
  Scenario merge = plain;
  merge.problem.entry = Entry::merge;
  merge.problem.ctx_len.resize(9);
  EXPECT_LT(complexity(merge), complexity(plain));

  Scenario scripted = plain;
  scripted.script = {{StepKind::join, {}, {}}, {StepKind::decode, {}, {}}};
  Scenario steps = plain;
  steps.problem.decode_steps = 50;
  steps.problem.ctx_len = {1, 1};
  EXPECT_LT(complexity(steps), complexity(scripted));

  Scenario longer = plain;
  longer.problem.ctx_len[0] += 5000;
  EXPECT_LT(complexity(longer), complexity(steps));
}

TEST(Order, IdentityIgnoresNamesOnly) {
  Scenario a;
  Scenario b = a;
  b.name = "b";
  b.labels = {"slow"};
  EXPECT_EQ(identity(a), identity(b));
  b.run.atol = 0.25;
  EXPECT_NE(identity(a), identity(b));
  b = a;
  b.problem.softmax_scale = 1.0;
  EXPECT_NE(identity(a), identity(b));
  b = a;
  b.script = {{StepKind::join, {}, {}}, {StepKind::decode, {}, {}}};
  EXPECT_NE(identity(a), identity(b));
}

}  // namespace
}  // namespace helixcheck
