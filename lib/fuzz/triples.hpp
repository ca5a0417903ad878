// Which triples of levels were tried together, a bit for each of some 700,000: ever, and in the
// current round, which starts anew when little is left to be found in it.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "generate/features.hpp"

namespace helixcheck {

class Triples {
 public:
  Triples();

  // How many triples of a selection's levels were not tried in this round. Some 2 us.
  std::size_t missing(const Selection& selection) const;

  struct Added {
    std::size_t ever = 0, in_round = 0;  // that were missing
  };
  Added add(const Selection& selection);

  std::size_t size() const { return size_; }  // tried ever
  void start_round();

 private:
  static constexpr std::size_t kWords = 3;
  using Words = std::array<std::uint64_t, kWords>;  // a bit for each level of a later feature
  struct Row {
    Words ever{}, round{};
  };
  template <typename Visit>
  void for_each_row(const Selection& selection, Visit&& visit) const;

  std::vector<std::size_t> first_;  // level of each feature
  std::vector<Row> rows_;           // by pair of levels a < b: b * (b - 1) / 2 + a
  std::size_t size_ = 0;
};

}  // namespace helixcheck
