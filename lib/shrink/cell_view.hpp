// What the number moves read of a scenario's cells, without pointers into it.

#pragma once

#include <cstdint>
#include <vector>

#include "shrink/lowering.hpp"
#include "shrink/search.hpp"

namespace helixcheck {

struct CellView {
  std::uint64_t rank = 0;
  CellKind kind = CellKind::number;
  bool seed = false;
  bool paired = true;     // false beyond the first elements of a list: pairs of them are too many
  bool width = false;     // of a vector: nothing that counts tokens, heads or ranks
  bool raisable = false;  // worth raising for something simpler elsewhere
};

std::vector<CellView> view(const Scenario& scenario);

// The rank of a value of a number cell, and its present value.
std::uint64_t value_rank(const Scenario& base, std::size_t cell, std::uint64_t value);
std::uint64_t value_of(const Scenario& base, std::size_t cell);

// Offers the cell at that rank (lowered()). True once enough was offered.
bool offer_rank(const Scenario& scenario, std::size_t cell, std::uint64_t rank,
                const Search::Offer& offer);

}  // namespace helixcheck
