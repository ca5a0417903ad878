// Prompt rows as whoever checks them by the million needs them: where their hidden states come
// from, what was stored of them, and how far each value may be off. Plain numbers; the bounds are
// made by verdict/bounds.hpp.

#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>

#include "mla/evidence.hpp"
#include "mla/inputs.hpp"
#include "mla/rope.hpp"

namespace helixcheck {

// A rotated pair (x0, x1) at an angle: |error| of either value <= this * (|x0| + |x1|).
struct RopeBound {
  double scale = 0, turn = 0, floor = 0;
  constexpr double operator()(double angle) const {
    return scale * std::min(2.0, angle * turn + floor);
  }
};

struct PromptBounds {
  double linear = 0;  // times the norms of x and of the row of the weight
  double norm = 0;    // relative, of the normed part
  RopeBound rope;
  double linear_floor = 0, norm_floor = 0, rope_floor = 0;  // where anything but zeros is summed
};

struct PromptRows {
  std::int64_t rows = 0, hidden = 0, latent = 0, rope = 0;  // n, D, R, P
  Dtype dtype = Dtype::bf16;                                // of all codes

  // Hidden states: drawn from Philox streams, or given.
  std::optional<DrawnHidden> drawn;
  std::span<const Token> tokens;  // [n], if drawn
  const void* x = nullptr;        // codes [n, D], if not

  const void* w = nullptr;              // codes [R + P, D]
  std::span<const double> w_norms;      // [R + P], of the rows of w
  std::span<const double> norm_weight;  // [R]
  double eps = 0;
  const RopeTable* table = nullptr;
  bool interleave = true;
  std::span<const std::int64_t> positions;  // [n]
  PromptBounds bounds;

  // What was stored: codes [n, R + P].
  const void* kv_c = nullptr;
  const void* stored_latent = nullptr;  // nullptr: not shown
};

// Evidence::Worst::row counts the rows from 0, element the values of a row.
struct PromptEvidence {
  Evidence kv_c, latent;
};

}  // namespace helixcheck
