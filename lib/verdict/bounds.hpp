// Deterministic error bounds of each stage: how far a subject that keeps its contract can be from
// the exact result *before* the last rounding to a format. Pure functions of the contract and of
// statistics of the exact computation; u = 2^-24 is half an ulp of 1 in fp32 throughout.
//
// All bounds are first order with 1 % added, which covers the higher orders while each term stays
// below 5 %.

#pragma once

#include <cstdint>

#include "mla/prompt_rows.hpp"
#include "mla/stages.hpp"
#include "verdict/contract.hpp"

namespace helixcheck::bounds {

// y = sum of `terms` products of codes of `dtype`: |error| <= linear_factor * |w|_2 |x|_2 +
// underflow(terms).
double linear_factor(const Contract& contract, Dtype dtype, std::int64_t terms);

// What `terms` fp32 products can lose below the normal range. Relative bounds do not cover it.
double underflow(std::int64_t terms);

// RMSNorm over n values stored in `dtype`: relative error of each result.
double rms_norm_factor(const Contract& contract, Dtype dtype, std::int64_t n);

// One rotated pair (x0, x1): |error| of either value <= rope_factor * (|x0| + |x1|).
double rope_factor(const Contract& contract, std::int64_t position, double inv_freq,
                   double cos_scale);
// The same as a function of the angle.
RopeBound rope_bound(const Contract& contract, double cos_scale);

// A cache code: the wanted x / scale, before the store in the cache's format; and its share of |x /
// scale|.
double cache_factor(double scale);
double cache_value(double value, double scale);

// What the exact attention of one (row, head) over one shard showed.
struct AttendFacts {
  stages::AttendHead head;
  std::int64_t visible = 0;   // keys, at least 1
  std::int64_t width = 0;     // R + P
  Dtype dtype = Dtype::bf16;  // of probabilities, if the contract rounds them
  bool scaled_keys = false;   // codes times a scale that is no power of two, rounded to fp32
  bool exact_scores = false;  // every partial sum of q . k is exact in fp32, in any order
  bool exact_values = false;  // every partial sum of values is, if all weights are 1
  bool independent = false;  // scores are dithered: rounding errors of different keys are unrelated
};

// Coefficients of the bound of one (row, head): |error of o_j| <= magnitude * sum p |v_j|
// + spread * sum p |v_j - o_j| + value * |o_j| + absolute * sum |v_j|
// + min(rounded_p * sum p |v_j|, rounded_p * |o_j| + random_p).
struct ValueBound {
  double magnitude = 0, spread = 0, value = 0, absolute = 0;
  double rounded_p = 0;  // unit of the probabilities' store
  double random_p = 0;   // what its errors add up to where they are unrelated; infinite elsewhere
  double underflow = 0;  // where anything but zeros is summed
  // `square` = sum p v_j^2, `sum_abs` = sum |v_j|.
  double operator()(double square, double o, double sum_abs) const;
};
ValueBound attend_value(const Contract& contract, const AttendFacts& facts);

// The same where one key has all the weight: relative error of that key's value.
double one_hot_factor(const Contract& contract, const AttendFacts& facts);

// Natural-log LSE of one (row, head) over one shard.
double attend_lse(const Contract& contract, const AttendFacts& facts);

// How the partials that enter a merge are written.
struct MergeFormat {
  LseForm form = LseForm::ln;
  Dtype dtype = Dtype::bf16;
};
// Statistics of their LSEs; empty partials left out.
struct MergeFacts {
  std::int64_t parts = 0;
  double lse = 0;       // of the result
  double max_size = 0;  // largest |lse_r|, or |m_r| where the statistics are (max, sum)
  double gap = 0;       // largest distance of an lse_r (or m_r) from the maximum
  LseForm form = LseForm::ln;
  Dtype dtype = Dtype::bf16;  // of the partials
};
// |error of o_j| <= magnitude * sum w |x_j| + spread * sum w |x_j - o_j|; `lse` bounds the merged
// one.
struct MergeBound {
  double magnitude = 0, spread = 0, lse = 0;
  double underflow = 0;  // where anything but zeros is summed
};
MergeBound merge(const Contract& contract, const MergeFacts& facts);

// Sum over ranks: |error| <= all_reduce_factor * sum |y_t|.
double all_reduce_factor(const Contract& contract, Dtype dtype, std::int64_t ranks);

}  // namespace helixcheck::bounds
