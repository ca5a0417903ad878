// fp64 recomputation of each pipeline stage from the values that stage really received.
//
// These are the oracles of the stage-local checks. They share no arithmetic with any subject. All
// arrays are dense, row-major, fp64. Every function gives the same result for any thread count.

#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "mla/rope.hpp"
#include "scenario/scenario.hpp"

namespace helixcheck::stages {

// y [rows, out] = x [rows, in] * w [out, in]^T. Blocked; up to two threads for large products.
void linear(std::span<const double> x, std::span<const double> w, std::int64_t rows,
            std::int64_t in, std::int64_t out, std::span<double> y);

// x * w / sqrt(mean(x^2) + eps), one row; y may be x.
void rms_norm(std::span<const double> x, std::span<const double> w, double eps,
              std::span<double> y);

// Rotates the P values of `x` in place to `position`, pairs as `interleave` says; results keep the
// input's element order.
void rope(std::span<double> x, std::int64_t position, const RopeTable& table, bool interleave);

// Cache rows as stored: codes [n, R + P] of `dtype`, each worth code * scale.
struct CacheRows {
  Dtype dtype = Dtype::bf16;
  double scale = 1.0;
  const void* codes = nullptr;
};

// Attention of one query head over the first `visible` rows of a list, and what the bounds need.
struct AttendHead {
  double lse = 0;          // -inf if nothing is visible
  double max_score = 0;    // m, of the scaled scores; -inf if nothing is visible
  double inv_n_eff = 0;    // sum p_i^2
  double score_scale = 0;  // A = |softmax_scale| * |q| * max_i |k_i|, bounds the sum of |products|
  double max_abs_key = 0;  // max_i |k_i|_inf over all R + P elements
};

struct AttendResult {
  std::vector<AttendHead> heads;  // [rows, H]
  std::vector<double> o;          // [rows, H, R], 0 where nothing is visible
  std::vector<double> square;  // [rows, H, R]: sum p_i v_ij^2 (bounds T = sum p|v|, X = sum p|v-o|)
  std::vector<double> sum_abs_v;  // [rows, R]: N_j = sum over visible keys of |v_ij|
};

// Queries q [rows, H, R + P] over one list of cache rows (one request on one rank, in index order);
// row r sees the first visible[r] of them. NaN and infinity in what a row sees reach its results;
// what it does not see has no influence. Blocked; up to two threads for large products.
AttendResult attend(std::span<const double> q, const CacheRows& keys,
                    std::span<const std::int64_t> visible, std::int64_t heads, std::int64_t latent,
                    std::int64_t rope, double softmax_scale);

// Softmax-weighted merge of C partials of one (row, head): x [C, R], lse [C]. Partials with lse
// -inf have no weight whatever x holds. All empty: o = 0, lse = -inf. `spread` [R] receives
// sum w_r |x_r - o|, `magnitude` [R] sum w_r |x_r|.
double merge(std::span<const double> x, std::span<const double> lse, std::int64_t latent,
             std::span<double> o, std::span<double> magnitude, std::span<double> spread);

}  // namespace helixcheck::stages
