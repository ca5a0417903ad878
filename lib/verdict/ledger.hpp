// The judge's book: a tally for each tap of the step at hand, totals of the run, the first failure
// and the notes. It turns into the verdict.

#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "verdict/compare.hpp"
#include "verdict/verdict.hpp"

namespace helixcheck {

class Ledger {
 public:
  Tally& tap(Tap tap) { return step_[static_cast<std::size_t>(tap)]; }

  // Books the step's tallies. The first failing step decides the blame: its first failing tap in
  // pipeline order, at that tap's worst place.
  void close_step();

  // Whether anything of this tap was compared in the step at hand.
  bool compared(Tap tap) const { return !step_[static_cast<std::size_t>(tap)].empty(); }

  // One line for the report; repeated ones are kept once.
  void note(std::string line);
  // A tap that the run did not show, for one common note.
  void absent(Tap tap) { absent_[static_cast<std::size_t>(tap)] = true; }

  bool failed() const { return blame_.has_value(); }
  const std::optional<Blame>& blame() const { return blame_; }
  // Adds to the sentence of the blame, after a semicolon; "" adds nothing.
  void explain(const std::string& text);
  Verdict verdict() const;

 private:
  std::array<Tally, kTapCount> step_, total_;
  std::array<bool, kTapCount> absent_{};
  std::optional<Blame> blame_;
  std::vector<std::string> notes_;
};

// "step 1: attend wrote lse 3.25 for request 0, row 0, head 3 on rank 1; expected 3.26 +- 1e-06".
Blame blame_for(const TapResult& failure);

}  // namespace helixcheck
