// Names the key behind a failed null test. All weights are equal there and neighbouring keys
// cancel, so a result that should be 0 is the sign pattern of what is missing or too much.

#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "mla/inputs.hpp"
#include "scenario/history.hpp"

namespace helixcheck {

// Which keys a wrong value is a sum of: all that `row` sees of its request, or those one KVP rank
// owns of them.
struct NullRow {
  const RequestState* request = nullptr;
  std::int64_t visible = 0;    // tokens 0 .. visible-1
  std::int64_t kvp_rank = -1;  // -1: of all ranks
  int surplus = 0;             // keys by which the LSE is too large; 0: none, or not known
};

// The second half of a sentence on `values` [R]: "the pattern is that of key 524287 of request 0
// (rank 3), lost or overwritten". Empty where the values are those of no one or two keys. Reads all
// keys of the row.
std::string name_null_key(const Inputs& inputs, const NullRow& row, std::span<const double> values);

}  // namespace helixcheck
