// Which scenario to try next: hill climbing towards numerical trouble and towards combinations of
// features that were not tried, for subjects of which nothing but their results is known.
//
// Feedback of a case are the (tap, log2 of error / bound) that it reached, each tap's record, and
// the tuples of feature levels it was drawn from. A case that shows something new is kept, and
// others are made from it.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "generate/genome.hpp"
#include "verdict/verdict.hpp"

namespace helixcheck {

struct Proposal {
  Genome genome;
  DrawnScenario drawn;
  std::string_view origin;  // "series", "novelty" (levels not met yet), "mutation", "crossover"
  std::optional<std::size_t> parent{};  // what learn() credits, for the last two
};

// A kept case.
struct Discovery {
  Genome genome;
  std::vector<TapResult> taps;  // only tap and worst_ratio count
  std::string reason;           // "lse 2^-1", "3 new triples"
};

struct GuidanceTotals {
  std::uint64_t tuples = 0;      // distinct triples of levels tried
  std::uint64_t behaviours = 0;  // distinct (tap, log2 ratio)
  std::uint64_t kept = 0;
};

class Guidance {
 public:
  explicit Guidance(std::uint64_t seed);
  ~Guidance();
  Guidance(const Guidance&) = delete;
  Guidance& operator=(const Guidance&) = delete;

  // A function of the seed, `index` and everything learned so far.
  Proposal propose(std::uint64_t index);

  // What a case has shown; a discovery if there was something new about it.
  std::optional<Discovery> learn(const Proposal& tried, std::span<const TapResult> taps);
  // The same of another process's discovery, or of an earlier night's.
  void learn(const Discovery& from_elsewhere);

  GuidanceTotals totals() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace helixcheck
