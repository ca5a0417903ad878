#include "shrink/cells.hpp"

#include <gtest/gtest.h>

#include "failing.hpp"

namespace helixcheck {
namespace {

TEST(Cells, DefaultScenarioDiffersFromTheSimplestInSizesOnly) {
  Scenario s;
  for (const Cell& cell : cells(s)) {
    EXPECT_TRUE(cell.is_default()) << cell.path();
    if (cell.kind == CellKind::number || cell.is("entry")) continue;
    EXPECT_EQ(cell.rank(), 0u) << cell.path();
  }
}

TEST(Cells, RankAndValueDetermineEachOther) {
  Scenario s;
  for (const Cell& cell : cells(s)) {
    for (std::uint64_t rank = 0; rank < 60; ++rank) {
      if (!cell.set_rank(rank)) {
        EXPECT_TRUE(cell.kind == CellKind::choice && rank >= cell.values) << cell.path();
        continue;
      }
      // A real's default can also be a power of two, and then has the lower rank.
      if (cell.kind == CellKind::real) {
        EXPECT_LE(cell.rank(), rank) << cell.path() << " " << cell.text();
      } else {
        EXPECT_EQ(cell.rank(), rank) << cell.path() << " " << cell.text();
      }
    }
    cell.set_rank(0);
  }
}

TEST(Cells, WhatMeansNothingAtTheEntryGoesToItsDefault) {
  Scenario s;
  cell_named(cells(s), "hidden_size").set_rank(0);
  EXPECT_EQ(s.problem.hidden_size, 1);
  s.problem.entry = Entry::core;
  cell_named(cells(s), "hidden_size").set_rank(0);
  EXPECT_EQ(s.problem.hidden_size, 2560);
  cell_named(cells(s), "qk_nope_head_dim").set_rank(0);
  EXPECT_EQ(s.problem.qk_nope_head_dim, 1) << "enters the softmax scale";
  s.problem.entry = Entry::merge;
  cell_named(cells(s), "ctx_len").set_rank(0);
  EXPECT_EQ(s.problem.ctx_len[0], 1024);
}

TEST(Cells, SimplerRealsHaveLowerRanks) {
  Scenario s;
  const auto rank_of = [&s](double gain) {
    s.problem.data.logit_gain = gain;
    return cell_named(cells(s), "logit_gain").rank();
  };
  EXPECT_EQ(rank_of(1.0), 0u);
  EXPECT_LT(rank_of(2.0), rank_of(0.5));
  EXPECT_LT(rank_of(0.5), rank_of(1024.0));
  EXPECT_LT(rank_of(1024.0), rank_of(0.3));
  EXPECT_LT(rank_of(0.3), rank_of(0.37));
}

TEST(Cells, PathsNameListsAndScripts) {
  Scenario s;
  s.problem.ctx_len = {3, 4};
  s.problem.data.heavy = {{}};
  s.script = {{StepKind::join, {}, {}}, {StepKind::decode, {0, 1}, {2, 3}}};
  std::string paths;
  for (const Cell& cell : cells(s)) paths += cell.path() + ' ';
  for (const char* path : {"problem.ctx_len[1] ", "problem.data.heavy[0].mass ", "layout.kvp ",
                           "problem.data.seed ", "script[1].tokens[1] "}) {
    EXPECT_NE(paths.find(path), std::string::npos) << path;
  }
  EXPECT_EQ(paths.find("atol"), std::string::npos);
}

}  // namespace
}  // namespace helixcheck
