// What the checks of all metamorphic properties share: the hash of a run's results, and the rule
// that a failure is repeated before it is believed.

#pragma once

#include <functional>
#include <optional>

#include "property/property.hpp"
#include "property/trace.hpp"
#include "verdict/compare.hpp"

namespace helixcheck {

// What the final values of two runs, or of a run and a statement, showed.
struct ResultTallies {
  Tally combined, combined_lse, output;
  void absorb(const ResultTallies& other);
};

// Values of two runs, both of which must be finite: a NaN agrees with nothing, not even with
// another NaN.
void compare_finite(Tally& tally, double got, double want, double bound, const Place& place);

// The first tap that failed, as "step 1: combined of request 0, ... is A and was B; ...".
std::optional<Blame> first_blame(const ResultTallies& tallies);

// The taps that were compared. Their blindness is left out: values that agree are not weighed, so
// that it would speak of the others alone.
std::vector<TapResult> results_of(const ResultTallies& tallies);

// FNV-1a over the bits of the results of every step.
std::uint64_t hash_of(const Trace& trace);

// Runs the check, and once more if it fails and the options ask for that: a failure that does not
// repeat to the letter becomes one of kind "nondeterminism". Runs of both are counted.
PropertyResult repeated_if_failed(const RunOptions& options,
                                  const std::function<PropertyResult()>& check);

}  // namespace helixcheck
