// One search for one fault, by the series or guided, until the first case that fails; and how often
// a case of the series fails.

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "subject/subject.hpp"

namespace helixcheck {

struct TrialBudget {
  std::optional<std::uint64_t> cases;
  double seconds = 10;  // of this thread's processor time, preparations included
};

struct Trial {
  bool found = false;
  std::uint64_t cases = 0;  // run, the failing one included
  double seconds = 0;
};

enum class Search { series, guided };

// Equivalence only, on one thread. Deterministic but for the end of the time.
Trial search_for(const Subject& subject, Search search, std::uint64_t seed,
                 const TrialBudget& budget);

// Of the first `cases` of the series of a seed.
struct FailureCount {
  std::uint64_t cases = 0;
  std::vector<std::uint64_t> met;     // by fault: cases that meet its conditions
  std::vector<std::uint64_t> failed;  // by fault
};

// `faults`: indices in rare_faults(). Those that are not numeric are counted in one pass, in which
// only cases that meet their conditions are run on the faulty subject.
FailureCount count_failures(const std::vector<std::size_t>& faults, std::uint64_t seed,
                            std::uint64_t cases);

}  // namespace helixcheck
