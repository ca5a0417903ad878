// The sizes of a case, under the letters of the shapes: what the judge needs from a scenario.

#pragma once

#include <cstdint>

#include "scenario/scenario.hpp"

namespace helixcheck {

struct Geometry {
  explicit Geometry(const Scenario& scenario);

  std::int64_t hidden, q_lora;                  // D, Rq (0: none)
  std::int64_t latent, rope, nope, value;       // R, P, N, Vd
  std::int64_t width;                           // R + P, one cache row
  std::int64_t heads, rank_heads, owned_heads;  // H, Ht = H / T, Hc = H / (T C)
  std::int64_t kvp, tpa, ranks;                 // C, T, T C
  std::int64_t lse_values;                      // 1, or 2 for (max, sum)
  Dtype dtype, kv_dtype;

  std::int64_t kvp_rank(std::int64_t rank) const { return rank % kvp; }
  std::int64_t tpa_rank(std::int64_t rank) const { return rank / kvp; }
  std::int64_t rank_of(std::int64_t tpa_rank, std::int64_t kvp_rank) const {
    return tpa_rank * kvp + kvp_rank;
  }
  // First head that a rank computes, and first one it owns after the exchange.
  std::int64_t first_head(std::int64_t rank) const { return tpa_rank(rank) * rank_heads; }
  std::int64_t first_owned(std::int64_t rank) const {
    return first_head(rank) + kvp_rank(rank) * owned_heads;
  }
};

}  // namespace helixcheck
