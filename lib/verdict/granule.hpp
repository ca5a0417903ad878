// Exactness by divisibility: if all terms of a sum are multiples of a power of two and their
// magnitudes add up to less than 2^24 of it, every partial sum in every order is exact in fp32.

#pragma once

#include <span>

#include "mla/stages.hpp"

namespace helixcheck {

// The largest power of two that divides every value; infinity if all are 0.
double granule(std::span<const double> values);

// The same over `rows` cache rows of `width` elements.
double granule(const stages::CacheRows& rows, std::int64_t count, std::int64_t width);

// Sums of magnitude `size` of multiples of `unit` are exact in fp32.
inline bool exact_in_fp32(double size, double unit) {
  return size < 0x1p24 * unit;
}

}  // namespace helixcheck
