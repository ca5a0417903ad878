// The bit table against a plain set of triples.

#include "fuzz/triples.hpp"

#include <array>
#include <gtest/gtest.h>
#include <set>

#include "generate/level_draw.hpp"

namespace helixcheck {
namespace {

using Triple = std::array<std::size_t, 3>;

std::set<Triple> triples_of(const Selection& selection) {
  std::set<Triple> triples;
  const auto level = [&](std::size_t f) { return first_level(f) + selection[f]; };
  for (std::size_t h = 2; h < selection.size(); ++h) {
    for (std::size_t g = 1; g < h; ++g) {
      for (std::size_t f = 0; f < g; ++f) triples.insert({level(f), level(g), level(h)});
    }
  }
  return triples;
}

TEST(Triples, CountsWhatWasNotTried) {
  CounterChoices choices(1, 0);
  Triples triples;
  std::set<Triple> tried;
  for (int i = 0; i < 15; ++i) {
    const Selection selection = draw_selection(~LevelSet(), choices);
    const std::size_t before = tried.size();
    tried.merge(triples_of(selection));
    const std::size_t fresh = tried.size() - before;
    EXPECT_EQ(triples.missing(selection), fresh);
    const Triples::Added added = triples.add(selection);
    EXPECT_EQ(added.ever, fresh);
    EXPECT_EQ(added.in_round, fresh);
    EXPECT_EQ(triples.missing(selection), 0u);
    EXPECT_EQ(triples.size(), tried.size());
  }
}

TEST(Triples, RoundStartsAnewAndForgetsNothing) {
  CounterChoices choices(2, 0);
  Triples triples;
  const Selection a = draw_selection(~LevelSet(), choices);
  Selection b = a;
  b.back() ^= 1;  // of the last feature, another level
  const std::size_t all = triples_of(a).size(), with_last = all * 3 / a.size();
  triples.add(a);
  triples.start_round();
  EXPECT_EQ(triples.missing(a), all);
  Triples::Added added = triples.add(b);
  EXPECT_EQ(added.in_round, all);
  EXPECT_EQ(added.ever, with_last);
  added = triples.add(a);
  EXPECT_EQ(added.in_round, with_last);
  EXPECT_EQ(added.ever, 0u);
  EXPECT_EQ(triples.size(), all + with_last);
}

}  // namespace
}  // namespace helixcheck
