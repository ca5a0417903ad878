// Resolved rotary embedding: frequencies, cos/sin multiplier and softmax scale in fp64, from the
// scenario's raw parameters. The resolved values are part of the case; raw YaRN parameters are not
// needed below this point.

#pragma once

#include <cstdint>
#include <vector>

#include "scenario/scenario.hpp"

namespace helixcheck {

struct RopeTable {
  std::vector<double> inv_freq;  // P/2, radians a position
  double cos_scale = 1.0;        // on cos and sin
  double softmax_scale = 1.0;    // on q . k
};

// YaRN as in DeepSeek's model.py and Hugging Face: linear ramp between the dimensions whose
// wavelength matches beta_fast and beta_slow rotations over the original context.
//   cos_scale = mscale(factor, mscale) / mscale(factor, mscale_all_dim) if both are present and
//   non-zero, else mscale(factor, 1);  softmax_scale gains mscale(factor, mscale_all_dim)^2 if
//   mscale_all_dim is present and non-zero; mscale(f, a) = f <= 1 ? 1 : 0.1 a ln f + 1.
RopeTable resolve_rope(const Problem& problem);

}  // namespace helixcheck
