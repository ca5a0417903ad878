// The verdict: pass, or fail with evidence.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "helix/taps.hpp"

namespace helixcheck {

// Where a value lies. -1 where an axis does not apply.
struct Place {
  std::int64_t step = -1, request = -1, row = -1, head = -1, rank = -1, element = -1;
};

// Everything one tap showed over a whole run.
struct TapResult {
  Tap tap = Tap::position;
  std::int64_t values = 0;    // compared
  std::int64_t failures = 0;  // outside their acceptance set
  double worst_ratio = 0;     // error / bound; above 1 exactly if something failed
  Place worst;                // of worst_ratio
  double worst_got = 0, worst_want = 0, worst_bound = 0;
  double max_abs_error = 0;
  double blindness = 0;  // rms(bound) / rms(value)
  bool exact = false;    // judged bit for bit
};

inline constexpr double kBlind = 0.02;  // a tap above this sees too little; the report says so

struct Blame {
  std::optional<Stage> stage;  // absent where an error belongs to none
  std::optional<Tap> tap;      // absent where a stage failed without showing a value
  Place place;
  std::string
      sentence;  // "step 1: attend wrote lse 3.25 for row 0, head 3 on rank 1; expected ..."
};

struct Mismatch {    // the fixed test's criterion
  double ratio = 0;  // share of output elements outside atol + rtol |ref|
  double max_abs_error = 0;
  bool pass = true;
};

struct Verdict {
  bool pass = true;
  std::vector<TapResult> taps;       // pipeline order, only taps that were compared
  std::optional<Blame> blame;        // first failure in pipeline order
  std::optional<Mismatch> mismatch;  // only with VerdictRule::mismatch
  std::string unjudged;  // why the results of a step could not be judged at all; "" = they were
  std::vector<std::string> notes;  // declared quirks that were normalised, checks left out and why
  // The tap with the largest ratio; nullptr if nothing was compared.
  const TapResult* worst() const;
};

}  // namespace helixcheck
