// Comparing two samples by ranks, for times until something is found: skewed, and censored at a
// budget.

#pragma once

#include <span>

namespace helixcheck {

// Runs that found nothing are infinity: later than all that did, and tied with each other.

// Two-sided p-value of the Mann-Whitney U test, by the normal approximation with corrections for
// ties and for continuity; 1 where a sample is empty or all values are tied.
double mann_whitney_p(std::span<const double> a, std::span<const double> b);

// Vargha and Delaney's A12: the probability that a value of `a` is smaller than one of `b`, a tie
// counting half. 0.5 says that there is no difference; samples may not be empty.
double probability_smaller(std::span<const double> a, std::span<const double> b);

// The middle value, the mean of the middle two for an even number; infinity where one of these is.
double median(std::span<const double> values);

}  // namespace helixcheck
