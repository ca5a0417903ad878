// Which levels of two features can meet in one scenario, found out by asking the validation.

#pragma once

#include <bitset>
#include <cstddef>
#include <string>
#include <vector>

#include "generate/features.hpp"

namespace helixcheck {

// A bit for each level, numbered as by first_level.
using LevelSet = std::bitset<256>;

class Compatibility {
 public:
  // Computed on first use, some 100 ms.
  static const Compatibility& get();

  // What can meet this level; never another one of its own feature.
  const LevelSet& with(std::size_t level) const { return with_[level]; }
  bool together(std::size_t a, std::size_t b) const { return with_[a][b]; }

  // A pair that no valid scenario has, and the sentence that says why: the validation's, or that
  // one of the two has no meaning where the other has one.
  struct Exclusion {
    std::size_t a, b;  // a < b
    std::string reason;
  };
  const std::vector<Exclusion>& exclusions() const { return exclusions_; }
  std::size_t pairs() const { return pairs_; }  // that can meet

 private:
  Compatibility();
  void exclude(std::size_t a, std::size_t b, std::string reason);
  void ask_entries();
  void ask_pairs();

  std::size_t levels_, pairs_ = 0;
  std::vector<LevelSet> with_;
  std::vector<Exclusion> exclusions_;
};

}  // namespace helixcheck
