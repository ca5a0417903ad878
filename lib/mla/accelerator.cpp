// The choice between the judge's own cores and an accelerator.

#include "mla/accelerator.hpp"

#include <numeric>

namespace helixcheck {

stages::AttendResult attend_on(Accelerator* accelerator, std::span<const double> q,
                               const stages::CacheRows& keys, std::span<const std::int64_t> visible,
                               std::int64_t heads, std::int64_t latent, std::int64_t rope,
                               double softmax_scale) {
  const std::int64_t seen = std::accumulate(visible.begin(), visible.end(), std::int64_t{0});
  const double flops =
      static_cast<double>(seen * heads) * static_cast<double>(2 * (latent + rope) + 4 * latent);
  if (accelerator != nullptr && flops >= kAcceleratedFlops) {
    return accelerator->attend(q, keys, visible, heads, latent, rope, softmax_scale);
  }
  return stages::attend(q, keys, visible, heads, latent, rope, softmax_scale);
}

}  // namespace helixcheck
