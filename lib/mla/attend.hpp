// Attention of a block of query vectors over a list of keys, in fp64, in two passes: all scores of
// a head first, then softmax and value sums. No running maximum, so nothing is ever rescaled.

#pragma once

#include <cstdint>
#include <span>

#include "mla/row_source.hpp"
#include "mla/stages.hpp"

namespace helixcheck {

struct AttendShape {
  std::int64_t heads = 0;
  std::int64_t latent = 0;  // values are the first `latent` elements of a key
  double softmax_scale = 1.0;
};

// Queries q [rows, heads, keys.width()]; row r sees the first visible[r] keys. With `for_bounds`
// every field of the result is filled, without it only `o` and the fields of `heads` that follow
// from the scores.
stages::AttendResult attend_rows(std::span<const double> q, const RowSource& keys,
                                 std::span<const std::int64_t> visible, const AttendShape& shape,
                                 bool for_bounds);

}  // namespace helixcheck
