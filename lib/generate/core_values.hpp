// Values of `core` cases: queries and cache rows of each data family.
//
// The families are defined here and not at `layer`, where RMSNorm erases the scale of a latent row
// and values are the keys' own latent part. Places of planted keys, the pairs of the null test,
// values of shard_constant and scores under an lse_gap follow the layout's ownership, that of
// generated tokens included; all other values depend on (seed, request, token) alone.
//
// shard_constant: values are in units of kv_scale, so that they are exact in every format, and
// queries are 0 but for their roped part, so that scores do not follow the values.
//
// lse_gap lives in the last coordinate: all queries hold one constant there, keys of rank r the
// r-th multiple of another.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "generate/heavy_keys.hpp"
#include "mla/rope.hpp"
#include "scenario/history.hpp"
#include "scenario/scenario.hpp"

namespace helixcheck {

// Standard deviation of the scaled scores at logit_gain 1: what the fixed-scenario test's
// distributions give (1.8 to 2.0).
inline constexpr double kLogitStd = 1.9;

class CoreValues {
 public:
  // Both must outlive the object. Plants the heavy keys.
  CoreValues(const Scenario& scenario, const RopeTable& rope);

  // Row [R + P] of a token at `index` of its request, before rounding.
  void latent(Token token, std::int64_t index, std::span<double> out) const;
  // Query [R + P] of one row and head, before rounding.
  void query(const Row& row, std::int64_t head, std::span<double> out) const;

 private:
  void split_gap();
  void draw_family(Token token, std::int64_t index, std::span<double> out) const;
  void one_hot_latent(Token token, std::int64_t index, std::span<double> out) const;
  void null_latent(std::int64_t request, std::int64_t index, std::span<double> out) const;
  std::int64_t hot_index(std::int64_t request) const;
  std::int64_t owner(std::int64_t request, std::int64_t index) const;  // KVP rank

  const Scenario& scenario_;
  double softmax_scale_;
  double query_bound_;  // queries are U[-bound, bound)
  HeavyKeys heavy_;
  double gap_query_ = 0, gap_key_ = 0;    // last elements of a query, and of rank 1's keys
  std::vector<std::int64_t> prompt_len_;  // of every request, forks included; where owners matter
};

}  // namespace helixcheck
