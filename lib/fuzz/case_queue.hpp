// Which cases of a campaign's series are still to be run.

#pragma once

#include <cstdint>
#include <deque>
#include <vector>

namespace helixcheck {

struct CaseRange {
  std::uint64_t first = 0, count = 0;
};

class CaseQueue {
 public:
  // Cases [next, end); `end` 0: there is no end.
  CaseQueue(std::uint64_t next, std::uint64_t end) : next_(next), end_(end) {}

  // Up to `most` cases that nobody has; none if count is 0.
  CaseRange take(std::uint64_t most);
  // The first `count` of what was `taken` are run; what is left of it, which stays taken.
  CaseRange ran(CaseRange taken, std::uint64_t count);
  // What was `taken` is run but for `left`.
  void give_back(CaseRange left, CaseRange taken);
  // Cases that nobody has; the most there can be where there is no end.
  std::uint64_t left() const;
  // All cases below it are run.
  std::uint64_t low_water() const;
  // All are run.
  bool done() const { return end_ != 0 && next_ >= end_ && returned_.empty() && out_.empty(); }

 private:
  std::uint64_t next_, end_;
  std::deque<CaseRange> returned_;
  std::vector<CaseRange> out_;  // taken and not given back
};

}  // namespace helixcheck
