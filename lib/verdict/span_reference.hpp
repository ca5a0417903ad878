// The exact merged result of one request's rows and how far attend..combine may be from it, where
// nothing between the queries and the merge is shown.

#pragma once

#include <span>
#include <vector>

#include "helix/taps.hpp"
#include "mla/accelerator.hpp"
#include "mla/inputs.hpp"
#include "mla/stages.hpp"
#include "verdict/contract.hpp"

namespace helixcheck {

// What one KVP rank holds of the request, and how much of it each row sees.
struct SpanShard {
  stages::CacheRows keys;
  std::vector<std::int64_t> visible;  // [rows]
};

// By lane = row * H + head. `error` bounds the value before its last store.
struct SpanLanes {
  std::vector<double> o, error;        // [lanes, R]; 0 where no rank sees a key
  std::vector<double> lse, lse_error;  // [lanes]; -inf where no rank sees a key
  std::vector<bool> credible;          // [lanes]; false: nothing can be said
};

// q [rows, H, R + P], as attend received it; one shard for each KVP rank.
SpanLanes span_reference(const Inputs& inputs, const StageContracts& contracts,
                         std::span<const double> q, std::span<const SpanShard> shards,
                         Accelerator* accelerator = nullptr);

// Whether the rounding errors of a shard's scores are unrelated to each other. Under an lse_gap one
// product is the score, and all keys round it alike.
bool scores_are_dithered(const Data& data);

// Whether kv_scale is no power of two, so that codes times scale are rounded.
bool scale_rounds(const Problem& problem);

}  // namespace helixcheck
