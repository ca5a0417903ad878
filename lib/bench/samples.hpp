// Times of one thing, measured many times.

#pragma once

#include <limits>
#include <span>

namespace helixcheck::bench {

inline constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

struct Summary {
  double p50 = kNotMeasured, p90 = kNotMeasured, p99 = kNotMeasured;
  double noise = kNotMeasured;  // standard deviation over the mean, per cent
};

// Of at least one sample; quantiles by nearest rank.
Summary summarize(std::span<const double> samples);

}  // namespace helixcheck::bench
