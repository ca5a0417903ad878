// Every instruction set must give the bits of the plain loop.

#include "mla/kernels.hpp"

#include <gtest/gtest.h>
#include <limits>
#include <vector>

#include "support/hash.hpp"

namespace helixcheck {
namespace {

constexpr double kUntouched = 7.25;

struct Case {
  std::int64_t rows, depth;
  int columns;
};

std::vector<const Kernels*> available() {
  std::vector<const Kernels*> sets;
  for (const InstructionSet set :
       {InstructionSet::baseline, InstructionSet::avx2, InstructionSet::avx512}) {
    if (const Kernels* found = find_kernels(set)) sets.push_back(found);
  }
  return sets;
}

// y [rows, 9], of which the kernel may change the first `columns` of a row.
std::vector<double> start_values(const Case& c) {
  std::vector<double> y(static_cast<std::size_t>(c.rows) * 9, kUntouched);
  for (std::int64_t i = 0; i < c.rows; ++i) {
    for (int j = 0; j < c.columns; ++j) y[static_cast<std::size_t>(i * 9 + j)] = 0.1 * j;
  }
  return y;
}

std::vector<double> plain_loop(const Case& c, const std::vector<double>& x,
                               const std::vector<double>& panel) {
  std::vector<double> y = start_values(c);
  for (std::int64_t i = 0; i < c.rows; ++i) {
    for (int j = 0; j < c.columns; ++j) {
      for (std::int64_t k = 0; k < c.depth; ++k) {
        y[static_cast<std::size_t>(i * 9 + j)] +=
            x[static_cast<std::size_t>(i * (c.depth + 3) + k)] *
            panel[static_cast<std::size_t>(k * kPanelColumns + j)];
      }
    }
  }
  return y;
}

TEST(Kernels, EveryInstructionSetGivesTheBitsOfThePlainLoop) {
  for (std::int64_t rows = 0; rows <= 19; ++rows) {
    for (int columns = 1; columns <= kPanelColumns; ++columns) {
      for (const std::int64_t depth : {0, 1, 5, 130}) {
        const Case c{rows, depth, columns};
        const std::vector<double> x = hash_values(1, rows * (depth + 3));
        const std::vector<double> panel = hash_values(2, depth * kPanelColumns);
        const std::vector<double> want = plain_loop(c, x, panel);
        for (const Kernels* set : available()) {
          std::vector<double> y = start_values(c);
          set->multiply_add(rows, depth, columns, x.data(), depth + 3, panel.data(), y.data(), 9);
          ASSERT_EQ(y, want) << rows << " x " << depth << " x " << columns;
        }
      }
    }
  }
}

TEST(Kernels, UnusedColumnsOfAPanelHaveNoInfluence) {
  std::vector<double> panel(kPanelColumns, std::numeric_limits<double>::quiet_NaN());
  panel[0] = 2;
  const double x = 3;
  for (const Kernels* set : available()) {
    double y = 1;
    set->multiply_add(1, 1, 1, &x, 1, panel.data(), &y, 1);
    EXPECT_EQ(y, 7);
  }
}

TEST(Kernels, BaselineIsAlwaysThere) {
  EXPECT_NE(find_kernels(InstructionSet::baseline), nullptr);
}

}  // namespace
}  // namespace helixcheck
