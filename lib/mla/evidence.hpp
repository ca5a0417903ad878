// What a comparison of many values with what they may be has shown: plain figures, so that it can
// be made anywhere and joined in any grouping.

#pragma once

#include <algorithm>
#include <cstdint>

namespace helixcheck {

struct Evidence {
  std::int64_t values = 0;    // compared
  std::int64_t failures = 0;  // outside their acceptance set
  std::int64_t inexact = 0;   // with a bound above 0
  double square_bound = 0, square_want = 0;
  double max_abs_error = 0;

  struct Worst {
    double ratio = 0;                     // error / allowance; above 1 exactly if it failed
    std::int64_t row = -1, element = -1;  // the first with this ratio; -1: no value has an error
    double got = 0, want = 0, bound = 0;
  } worst;
};

// Adds what was seen of other values.
constexpr void join(Evidence& sum, const Evidence& more) {
  sum.values += more.values;
  sum.failures += more.failures;
  sum.inexact += more.inexact;
  sum.square_bound += more.square_bound;
  sum.square_want += more.square_want;
  sum.max_abs_error = std::max(sum.max_abs_error, more.max_abs_error);
  const Evidence::Worst &a = sum.worst, &b = more.worst;
  const bool earlier = b.row < a.row || (b.row == a.row && b.element < a.element);
  if (b.ratio > a.ratio || (b.ratio == a.ratio && b.ratio > 0 && earlier)) sum.worst = b;
}

}  // namespace helixcheck
