// Bounds of values that several stages made without showing what lies between: how far a merge can
// be from the exact one when the partials it received were themselves rounded and off. Pure
// functions of facts about the exact computation, as in bounds.hpp.

#pragma once

#include <cstdint>
#include <span>

#include "verdict/bounds.hpp"

namespace helixcheck::bounds {

// One partial result that holds at least one key: exact values and how far the stored ones may be.
struct SpanPart {
  double lse = 0;        // exact, natural log
  double lse_error = 0;  // of the statistics as received
  double gauge = 0;      // what the statistics are written against: m for (max, sum), else the LSE
  std::span<const double> o;      // [R] exact
  std::span<const double> error;  // [R] of the stored values
};

struct SpanResult {
  double lse = 0;
  double lse_error = 0;
  // False where an error leaves the range in which first-order bounds hold, or a value that of its
  // format: then nothing can be said.
  bool credible = true;
};

// The merge of `parts`, at least one, among `part_count` with the empty ones: exact values to `o`,
// bounds before the final store to `error`.
SpanResult merged(const Contract& contract, const MergeFormat& format, std::int64_t part_count,
                  std::span<const SpanPart> parts, std::span<double> o, std::span<double> error);

// What `attend` may leave for one (row, head) of one shard: the bound of attend_value and the
// rounding of the store in `dtype`, into `error` [R].
void stored_partial(const Contract& contract, const AttendFacts& facts, Dtype dtype,
                    std::span<const double> o, std::span<const double> square,
                    std::span<const double> sum_abs, std::span<double> error);

// The same for its statistics, their store and change of form included.
double stored_lse(const Contract& contract, const AttendFacts& facts);

}  // namespace helixcheck::bounds
