// A wrong kernel has no speed: sampled rows and heads of a step against fp64.
//
// Of each sampled request every rank recomputes its attention from the queries and the cache as
// they are stored, and holds `partial_o` and `lse` against it; the root merges the exact partials
// of all ranks and holds `combined` against the merge. Bounds are those of the subject's contract.

#pragma once

#include <cstdint>
#include <string>

#include "bench/bench_step.hpp"

namespace helixcheck::bench {

struct Check {
  std::int64_t values = 0;  // compared
  std::int64_t wrong = 0;
  std::string first;  // where the first wrong one is
};

// Runs `step` once over results that hold NaN, then checks them. Every process must call it; the
// root's result counts. Throws InputError if the subject shows neither partial results nor merged
// ones.
Check check_step(BenchStep& bench, Sequence& step);

}  // namespace helixcheck::bench
