// What the error bounds of attention need to know of the keys each row sees: their largest norm and
// element, and the sums of their values' magnitudes.

#pragma once

#include <cstdint>
#include <span>

#include "mla/attend.hpp"

namespace helixcheck {

// Fills score_scale and max_abs_key of result.heads [rows, heads] and result.sum_abs_v.
void add_key_bounds(std::span<const double> q, const RowSource& keys,
                    std::span<const std::int64_t> visible, const AttendShape& shape,
                    stages::AttendResult& result);

}  // namespace helixcheck
