// Which fields of a minimal failing scenario matter, and how: each is varied alone and the verdicts
// are put into words. A statement is made only if every value tried agrees with it.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "shrink/shrinker.hpp"

namespace helixcheck {

struct FieldExplanation {
  std::string path;      // "layout.kvp"
  std::string text;      // "any", ">= 3", "== 2", "% 3 == 1", "!= 4", "one of 2, 5, 7", ...
  bool matters = false;  // some value passes, or fails in another way
  int tried = 0;         // valid values, the scenario's own included
  int failed = 0;
};

struct Explanation {
  // First the fields that matter, those with values that are not the simplest ahead, then the
  // others. Fields with no other valid value are left out.
  std::vector<FieldExplanation> fields;
  std::int64_t evaluations = 0;
  std::string stopped_by;  // as in ShrinkResult; what was not varied is left out
};

// Varies every scalar field and the batch (copies of the last prompt added, or requests dropped
// from the end). Where a value is not valid alone, heads follow the ranks and a plain cache the
// dtype.
Explanation explain(const Scenario& minimal, const Signature& signature,
                    const FailingWith& fails_with, const ShrinkLimits& limits = {});

// "any batch, kvp >= 3, ctx_len % 3 == 1": the fields that matter and, of the others, batch,
// lengths and ranks.
std::string to_text(const Explanation& explanation);

}  // namespace helixcheck
