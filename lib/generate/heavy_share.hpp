// What planted keys really got: their share of the softmax in the case as it is stored.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "mla/inputs.hpp"

namespace helixcheck {

struct HeavyShare {
  std::int64_t request = 0;
  std::size_t key = 0;     // in data.heavy
  std::int64_t index = 0;  // of the token in its request
  double share = 0;        // of the softmax of the key's own head
};

// The shares at each request's first decode row, one query token after its prompt, computed in fp64
// from the queries as stored and the keys in the cache's format. Keys that have no place are left
// out. Entry `core`.
std::vector<HeavyShare> heavy_shares(const Inputs& inputs);

}  // namespace helixcheck
