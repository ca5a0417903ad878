// Values of `core` cases: queries and cache rows of each data family, and planted heavy keys.
//
// The families are defined here and not at `layer`, where RMSNorm erases the scale of a latent row
// and values are the keys' own latent part. Places of planted keys and the pairs of the null test
// follow the layout's ownership; all other values depend on (seed, request, token) alone.

#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "generate/draw.hpp"
#include "mla/rope.hpp"
#include "scenario/history.hpp"
#include "scenario/scenario.hpp"

namespace helixcheck {

// Standard deviation of the scaled scores at logit_gain 1: what the fixed-scenario test's
// distributions give (1.8 to 2.0).
inline constexpr double kLogitStd = 1.9;

class CoreValues {
 public:
  // Both must outlive the object. Places the planted keys.
  CoreValues(const Scenario& scenario, const RopeTable& rope);

  // Row [R + P] of a token at `index` of its request, before rounding.
  void latent(Token token, std::int64_t index, std::span<double> out) const;
  // Query [R + P] of one row and head, before rounding.
  void query(const Row& row, std::int64_t head, std::span<double> out) const;

 private:
  struct Planted {
    std::int64_t index;
    std::vector<double> row;
  };
  void uniform_latent(Token token, std::span<double> out) const;
  void one_hot_latent(Token token, std::int64_t index, std::span<double> out) const;
  void null_latent(std::int64_t request, std::int64_t index, std::span<double> out) const;
  void planted_query(std::int64_t request, std::int64_t head, std::span<double> out) const;
  std::int64_t place_index(const HeavyKey& key, std::int64_t prompt_len) const;
  void plant(std::int64_t request, const HeavyKey& key, std::int64_t index);
  double rest_lse(std::int64_t request, std::int64_t skip, std::span<const double> query) const;
  std::int64_t hot_index(std::int64_t request) const;
  std::int64_t owner(std::int64_t request, std::int64_t index) const;  // KVP rank

  const Scenario& scenario_;
  double softmax_scale_;
  double query_bound_;                    // queries are U[-bound, bound)
  std::int64_t width_;                    // R + P
  std::vector<std::int64_t> prompt_len_;  // of every request, forks included; where owners matter
  std::map<std::pair<std::int64_t, std::int64_t>, std::vector<double>> planted_;  // request, index
};

}  // namespace helixcheck
