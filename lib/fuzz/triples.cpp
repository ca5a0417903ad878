// For each pair of a selection's levels, the levels of all later features at once.

#include "fuzz/triples.hpp"

#include <bit>
#include <cassert>

namespace helixcheck {
namespace {

// Bits of `later` that `row` lacks. Counting is slow on baseline x86-64, and mostly there are none.
template <typename Words>
inline std::size_t lacking(const Words& row, const Words& later) {
  static_assert(std::tuple_size_v<Words> == 3);
  const std::uint64_t a = later[0] & ~row[0], b = later[1] & ~row[1], c = later[2] & ~row[2];
  if ((a | b | c) == 0) return 0;
  return static_cast<std::size_t>(std::popcount(a) + std::popcount(b) + std::popcount(c));
}

}  // namespace

Triples::Triples() : rows_(level_count() * (level_count() - 1) / 2) {
  assert(level_count() <= 64 * kWords);
  for (std::size_t f = 0; f < features().size(); ++f) first_.push_back(first_level(f));
}

// Calls visit(row index, later) for all pairs of the selection's levels: a bit for each of its
// levels of later features.
template <typename Visit>
void Triples::for_each_row(const Selection& selection, Visit&& visit) const {
  std::array<std::size_t, 64> levels{};
  const std::size_t count = selection.size();
  assert(count <= levels.size());
  for (std::size_t f = 0; f < count; ++f) levels[f] = first_[f] + selection[f];
  Words later{};
  for (std::size_t g = count; g-- > 1;) {
    const std::size_t begin = levels[g] * (levels[g] - 1) / 2;
    for (std::size_t f = 0; f < g; ++f) visit(begin + levels[f], later);
    later[levels[g] / 64] |= std::uint64_t{1} << (levels[g] % 64);
  }
}

std::size_t Triples::missing(const Selection& selection) const {
  std::size_t count = 0;
  for_each_row(selection, [&](std::size_t row, const Words& later) {
    count += lacking(rows_[row].round, later);
  });
  return count;
}

Triples::Added Triples::add(const Selection& selection) {
  Added added;
  for_each_row(selection, [&](std::size_t at, const Words& later) {
    Row& row = rows_[at];
    const std::size_t in_round = lacking(row.round, later);
    if (in_round == 0) return;  // what was tried in this round was tried
    added.in_round += in_round;
    added.ever += lacking(row.ever, later);
    for (std::size_t w = 0; w < kWords; ++w) {
      row.round[w] |= later[w];
      row.ever[w] |= later[w];
    }
  });
  size_ += added.ever;
  return added;
}

void Triples::start_round() {
  for (Row& row : rows_) row.round = {};
}

}  // namespace helixcheck
