// Two traces side by side: the same tokens must end in the same values, bit for bit or within the
// sum of both runs' bounds.

#pragma once

#include <optional>
#include <string>

#include "property/property_result.hpp"
#include "property/span_tolerance.hpp"
#include "property/trace.hpp"

namespace helixcheck {

// One run of a relation with what it was run on. All must outlive the object.
struct TracedRun {
  const Inputs& inputs;
  const Trace& trace;
  SpanTolerance& tolerance;
};

struct ComparisonRules {
  Strength strength = Strength::bits;
  bool outputs = true;            // compare `output` bit for bit; never within a bound
  bool prefix = false;            // rows of `first` that `second` lacks are no difference
  bool sources_are_free = false;  // queries and cache rows may differ: such rows are left out
};

// What each tap showed, and the first difference.
struct Comparison {
  ResultTallies tallies;
  std::optional<Blame> blame;  // sentence without the name of the change
};

Comparison compare(const TracedRun& first, const TracedRun& second, const ComparisonRules& rules);

// Which of the values that attend starts from differ for one token; nullopt if none does or they
// were not shown.
std::optional<Tap> source_difference(const TracedRun& a, const TraceRow& row_a, const TracedRun& b,
                                     const TraceRow& row_b);

}  // namespace helixcheck
