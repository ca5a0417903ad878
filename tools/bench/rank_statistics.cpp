// Midranks give ties the mean of the ranks they share. Samples are small: everything is counted
// pair by pair.

#include "rank_statistics.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <vector>

namespace helixcheck {
namespace {

// Pairs in which the value of `a` is the smaller one, ties counting half: the U statistic.
double smaller_pairs(std::span<const double> a, std::span<const double> b) {
  double pairs = 0;
  for (const double x : a) {
    for (const double y : b) pairs += x < y ? 1 : x == y ? 0.5 : 0;
  }
  return pairs;
}

// Sum of t^3 - t over groups of t equal values.
double tie_term(std::span<const double> a, std::span<const double> b) {
  std::vector<double> all(a.begin(), a.end());
  all.insert(all.end(), b.begin(), b.end());
  std::sort(all.begin(), all.end());
  double sum = 0;
  for (auto first = all.begin(); first != all.end();) {
    const auto last = std::upper_bound(first, all.end(), *first);
    const auto tied = static_cast<double>(last - first);
    sum += tied * tied * tied - tied;
    first = last;
  }
  return sum;
}

}  // namespace

double mann_whitney_p(std::span<const double> a, std::span<const double> b) {
  const auto m = static_cast<double>(a.size()), n = static_cast<double>(b.size());
  if (m == 0 || n == 0) return 1;
  const double total = m + n;
  const double variance = m * n / 12 * (total + 1 - tie_term(a, b) / (total * (total - 1)));
  if (!(variance > 0)) return 1;
  const double distance = std::abs(smaller_pairs(a, b) - m * n / 2) - 0.5;
  return std::min(1.0, std::erfc(std::max(0.0, distance) / std::sqrt(2 * variance)));
}

double probability_smaller(std::span<const double> a, std::span<const double> b) {
  assert(!a.empty() && !b.empty());
  return smaller_pairs(a, b) / (static_cast<double>(a.size()) * static_cast<double>(b.size()));
}

double median(std::span<const double> values) {
  assert(!values.empty());
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const std::size_t half = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

}  // namespace helixcheck
