// A rotation keeps the length of each pair, so that its rounding can be bounded from what was
// stored, without the vector before it.

#include "property/roped_rows.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include "mla/formats.hpp"
#include "verdict/bounds.hpp"

namespace helixcheck {

void RopedRows::add_query(std::span<const double> stored, std::int64_t position) {
  add(stored, position, false);
}

void RopedRows::add_key(std::span<const double> stored, std::int64_t position) {
  add(stored, position, true);
}

// Of the store in the dtype, and of the one in the cache's format where that is another: then the
// division by the scale rounds as well, three times in fp32 at most. Infinite where the cache's
// format saturates.
double RopedRows::store_error(double value, bool cached) const {
  const Problem& p = inputs_.problem();
  if (!cached || p.kv_cache_dtype == p.dtype) return half_ulp(p.dtype, value);
  const double code = std::abs(value / p.kv_scale), largest = traits(p.kv_cache_dtype).max_finite;
  if (code >= largest) return std::numeric_limits<double>::infinity();
  const double cache =
      p.kv_scale * half_ulp(p.kv_cache_dtype, code) * (1 + 0x1p-20) + 0x1p-22 * std::abs(value);
  return cache + half_ulp(p.dtype, std::abs(value) + cache);
}

// rope_factor bounds the error by |x0| + |x1| before the rotation, at most sqrt 2 times the pair's
// length, which the rotation multiplies by cos_scale.
void RopedRows::add(std::span<const double> stored, std::int64_t position, bool cached) {
  const RopeTable& table = inputs_.rope();
  const std::size_t pairs = table.inv_freq.size(), row = known_.size();
  const std::size_t width = 2 * pairs;
  const bool interleave = inputs_.problem().rope_interleave;
  values_.insert(values_.end(), stored.begin(), stored.end());
  errors_.resize(values_.size());
  double* errors = errors_.data() + row * width;
  bool known = true;
  for (std::size_t j = 0; j < pairs; ++j) {
    const std::size_t first = interleave ? 2 * j : j, second = interleave ? 2 * j + 1 : j + pairs;
    const double a = store_error(stored[first], cached), b = store_error(stored[second], cached);
    const double length = std::hypot(std::abs(stored[first]) + a, std::abs(stored[second]) + b);
    const double turned =
        1.02 * bounds::rope_factor(contract_, position, table.inv_freq[j], table.cos_scale) *
        std::numbers::sqrt2 * length / std::abs(table.cos_scale);
    errors[first] = a + turned;
    errors[second] = b + turned;
    known = known && std::isfinite(errors[first]) && std::isfinite(errors[second]);
  }
  known_.push_back(known);
}

double dot_error(std::span<const double> a, std::span<const double> a_error,
                 std::span<const double> b, std::span<const double> b_error) {
  double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) {
    sum += std::abs(a[j]) * b_error[j] + std::abs(b[j]) * a_error[j] + a_error[j] * b_error[j];
  }
  return sum;
}

}  // namespace helixcheck
