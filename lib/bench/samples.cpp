#include "bench/samples.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>
#include <vector>

namespace helixcheck::bench {

Summary summarize(std::span<const double> samples) {
  assert(!samples.empty());
  std::vector<double> sorted(samples.begin(), samples.end());
  std::sort(sorted.begin(), sorted.end());
  const auto n = static_cast<double>(sorted.size());
  const auto quantile = [&](double q) {
    const auto rank = static_cast<std::size_t>(std::max(std::ceil(q * n), 1.0));
    return sorted[rank - 1];
  };
  const double mean = std::accumulate(sorted.begin(), sorted.end(), 0.0) / n;
  double square = 0;
  for (const double sample : sorted) square += (sample - mean) * (sample - mean);
  const double deviation = n > 1 ? std::sqrt(square / (n - 1)) : 0;
  return {quantile(0.5), quantile(0.9), quantile(0.99), mean > 0 ? 100 * deviation / mean : 0};
}

}  // namespace helixcheck::bench
