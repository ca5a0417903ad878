// The scenario shrinker: from a scenario that fails to one that fails in the same way and that no
// published move (moves.hpp) and no smaller value of a single field makes simpler.
//
// Greedy: passes of moves in the order of the table, cheap ones first; a success of a dear pass
// goes back to the first. Candidates must be strictly simpler (order.hpp), valid, and fail with the
// signature that is being shrunk. Verdicts are remembered by content. The result depends on the
// arguments alone and not on `jobs`; only the cap on seconds and an interrupt depend on the clock.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "scenario/scenario.hpp"
#include "shrink/signature.hpp"

namespace helixcheck {

// The signature of the scenario's failure; nullopt: it passes. Called from several threads at once
// when jobs > 1. Gets valid scenarios only.
using FailingWith = std::function<std::optional<Signature>(const Scenario&)>;
using SequenceFailingWith = std::function<std::optional<Signature>(const std::vector<Scenario>&)>;

struct ShrinkLimits {
  std::int64_t evaluations = 4000;
  double seconds = 60;
  int jobs = 1;                       // candidates evaluated at once
  std::function<bool()> interrupted;  // asked before each evaluation; empty: never
};

struct ShrinkResult {
  Scenario scenario;  // without name and labels
  std::int64_t evaluations = 0;
  double seconds = 0;
  bool locally_minimal = false;
  std::string stopped_by;  // "" | "evaluations" | "seconds" | "interrupt"
};

// `failing` is taken to fail with `signature`; it is not evaluated again. Throws InputError if it
// is not valid; what `fails_with` throws reaches the caller.
ShrinkResult shrink(const Scenario& failing, const Signature& signature,
                    const FailingWith& fails_with, const ShrinkLimits& limits = {});

struct SequenceResult {
  std::vector<Scenario> scenarios;  // the last one shows the failure
  std::int64_t evaluations = 0;
  double seconds = 0;
  bool locally_minimal = false;  // every scenario is, with the others as they are, and none can go
  std::string stopped_by;
};

// For a failure that needs what ran before it: drops predecessors, then shrinks the last scenario
// and each one left. Throws InputError if `failing` is empty.
SequenceResult shrink_sequence(const std::vector<Scenario>& failing, const Signature& signature,
                               const SequenceFailingWith& fails_with,
                               const ShrinkLimits& limits = {});

}  // namespace helixcheck
