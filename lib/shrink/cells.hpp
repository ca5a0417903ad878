// The scalar fields of one scenario as a flat list of cells, each with its rank of simplicity.
//
// Rank 0 is a field's simplest value. Where smaller is simpler, ranks count up from the smallest
// value; elsewhere the default is rank 0 and the other values follow in ascending or declared
// order, so that what is left of a scenario prints as a short text. Fields that mean nothing at
// the scenario's entry belong to the second kind. Rank and value determine each other, except for
// real numbers, where ranks from kInvertibleReals on only compare.
//
// The verdict's rule and tolerances and the tensor file are no cells: they are never shrunk.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "scenario/scenario.hpp"

namespace helixcheck {

enum class CellKind { number, choice, real };

// Ranks of reals: 0 the default, 1 the number one, then 2^e and 2^-e for e = 1 .. 40; above,
// numbers with fewer decimal digits first.
inline constexpr std::uint64_t kInvertibleReals = 2 + 2 * 40;

// Points into a scenario, and is invalid once its lists change size or it moves.
class Cell {
 public:
  std::string_view block, name;  // "layout", "kvp"
  std::int64_t index = -1;       // in its list; -1 = in none
  std::int64_t step = -1;        // of the script; -1 = in none
  CellKind kind = CellKind::number;
  std::uint64_t values = 0;  // how many a choice has

  std::uint64_t rank() const;
  // False, with nothing changed, if no value has that rank.
  bool set_rank(std::uint64_t rank) const;
  std::uint64_t rank_of(std::int64_t value) const;  // numbers and choices
  std::int64_t value() const;                       // numbers and choices
  double real() const;
  void set_real(double value) const;
  std::uint64_t bits() const;  // equal for equal values, and for no others
  bool is_default() const;
  std::string text() const;  // of the value
  std::string path() const;  // "problem.ctx_len[1]"
  bool is(std::string_view field) const { return name == field; }

 private:
  friend class CellCollector;
  void* where_ = nullptr;
  std::uint64_t (*load_)(const void*) = nullptr;
  void (*store_)(void*, std::uint64_t) = nullptr;
  std::string (*text_)(const void*) = nullptr;
  std::int64_t low_ = 0;    // smallest value
  std::int64_t first_ = 0;  // value of rank 0
  std::int64_t standard_ = 0;
  std::uint64_t standard_bits_ = 0;
  bool optional_ = false;  // a real that can be absent
  bool reversed_ = false;  // the last enumerator is the simplest
};

// In the order of the field table, the script's tokens last.
std::vector<Cell> cells(Scenario& scenario);

// The cell of that name outside lists; asserts that there is one.
const Cell& cell_named(const std::vector<Cell>& cells, std::string_view name);

// Shorter reals near `value`: the neighbouring powers of two, and one to three decimal digits.
std::vector<double> shorter_reals(double value);

}  // namespace helixcheck
