// Climbing towards numerical trouble: how close each tap came to its bound, among all cases and
// among those that have a level, and which cases did.
//
// Where values are rounded to 16 bits, a value half-way between two codes is as far off as a
// passing one can be, and most cases hold one: a ratio near 1 says nothing there. A cell whose
// ordinary cases come that close is saturated and no longer counts. Keeping records by level tells
// the cells of fp32 from others, and shows what is small beside the ordinary but large for its
// kind.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "generate/genome.hpp"
#include "verdict/verdict.hpp"

namespace helixcheck {

class Climb {
 public:
  Climb();

  struct Parent {
    std::shared_ptr<const Genome> genome;
    std::size_t cell;
    double cost_s;
  };
  // A record holder, more likely one of a cell where records fell lately, that is near its bound
  // and cheap. Nothing if there are none, or the one that was chosen is not worth its cost.
  std::optional<Parent> choose(Choices& choices) const;

  // A passing case. `parent`: the cell it was made from. Returns what was new about it over all
  // cases ("lse 2^-1"), "" if nothing.
  std::string learn(const Genome& genome, const Selection& selection,
                    std::span<const TapResult> taps, double cost_s,
                    std::optional<std::size_t> parent);

  // Share of the children that set a record lately, in the cell they came from or over all cases.
  double success() const { return success_; }

  std::size_t behaviours() const { return behaviours_; }  // distinct (tap, log2 ratio)

 private:
  struct Cell {
    double ratio = 0;  // the record
    std::shared_ptr<const Genome> holder;
    double cost_s = 0;                   // of the holder
    double energy = 0;                   // octaves won lately
    std::uint32_t cases = 0, close = 0;  // judged; of these, those close to the bound
    bool saturated() const;
    double worth() const;
  };
  static bool affordable(const Cell& one, Choices& choices);
  void occupy(std::size_t at);
  Cell& cell(std::size_t tap, std::size_t level) { return cells_[tap * (levels_ + 1) + level]; }

  std::size_t levels_;
  std::vector<Cell> cells_;  // [tap, level], level `levels_` for all cases
  std::vector<std::size_t> occupied_, occupied_over_all_;  // with a holder
  std::vector<bool> seen_;                                 // [tap, bucket]
  std::size_t behaviours_ = 0;
  double success_ = 0;
};

// floor(log2(ratio)), at least -60; -60 for 0.
int ratio_bucket(double ratio);

}  // namespace helixcheck
