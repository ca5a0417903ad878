// The range of the values that a row sees, and how far computed means may leave it.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mla/inputs.hpp"
#include "verdict/bounds.hpp"
#include "verdict/contract.hpp"

namespace helixcheck {

// Smallest and largest value of each of R elements.
struct Hull {
  std::vector<double> low, high;

  explicit Hull(std::int64_t latent);
  void widen(std::span<const double> values);
  bool constant() const { return low == high; }
  double size(std::size_t j) const;  // largest magnitude
};

// A mean with any positive weights lies in the hull, so that errors of scores and weights do not
// count: what remains are the roundings of products, sums and the division, and of stores.
//
// Of a shard's partial result as stored, in values of magnitude `size`, over `keys` keys.
double mean_error(const Contract& attending, const Problem& problem, std::int64_t keys,
                  double size);
// Of the merge of `parts` partials that are off by `carried`, before its store. `lse_size`: of the
// statistics.
double merged_mean_error(const Contract& merging, const bounds::MergeFormat& format,
                         std::int64_t parts, double lse_size, double size, double carried);

}  // namespace helixcheck
