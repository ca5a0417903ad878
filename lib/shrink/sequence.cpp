// Sequences: predecessors are dropped in halving runs, then every scenario is shrunk with the
// others held, and again from the start until nothing changes.

#include <algorithm>
#include <chrono>

#include "scenario/error.hpp"
#include "shrink/shrinker.hpp"

namespace helixcheck {
namespace {

using Clock = std::chrono::steady_clock;

class SequenceShrinker {
 public:
  SequenceShrinker(std::vector<Scenario> failing, const Signature& signature,
                   const SequenceFailingWith& fails_with, const ShrinkLimits& limits)
      : signature_(signature), fails_with_(fails_with), limits_(limits) {
    result_.scenarios = std::move(failing);
  }

  SequenceResult shrink_all() {
    bool progress = true;
    while (progress && !stopped()) {
      progress = drop_predecessors();
      bool minimal = true;
      for (std::size_t i = result_.scenarios.size(); i-- > 0 && !stopped();) {
        progress |= shrink_one(i, minimal);
      }
      result_.locally_minimal = minimal && !progress && !stopped();
    }
    result_.seconds = seconds();
    return std::move(result_);
  }

 private:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }
  bool stopped() const { return !result_.stopped_by.empty(); }

  bool fails(const std::vector<Scenario>& sequence) {
    if (limits_.interrupted && limits_.interrupted()) result_.stopped_by = "interrupt";
    if (seconds() >= limits_.seconds) result_.stopped_by = "seconds";
    if (result_.evaluations == limits_.evaluations) result_.stopped_by = "evaluations";
    if (stopped()) return false;
    ++result_.evaluations;
    return fails_with_(sequence) == signature_;
  }

  bool drop_predecessors() {
    bool progress = false;
    for (std::size_t chunk = result_.scenarios.size() - 1; chunk > 0; chunk /= 2) {
      std::size_t first = 0;
      while (first + 1 < result_.scenarios.size() && !stopped()) {
        std::vector<Scenario> fewer = result_.scenarios;
        const std::size_t end = std::min(first + chunk, fewer.size() - 1);
        fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(first),
                    fewer.begin() + static_cast<std::ptrdiff_t>(end));
        if (fails(fewer)) {
          result_.scenarios = std::move(fewer);
          progress = true;
        } else {
          first += chunk;
        }
      }
    }
    return progress;
  }

  // With what is left of the limits.
  bool shrink_one(std::size_t index, bool& minimal) {
    ShrinkLimits left = limits_;
    left.evaluations -= result_.evaluations;
    left.seconds -= seconds();
    const auto in_place = [this, index](const Scenario& candidate) {
      std::vector<Scenario> sequence = result_.scenarios;
      sequence[index] = candidate;
      return fails_with_(sequence);
    };
    ShrinkResult one = shrink(result_.scenarios[index], signature_, in_place, left);
    result_.evaluations += one.evaluations;
    result_.stopped_by = one.stopped_by;
    minimal &= one.locally_minimal;
    Scenario before = result_.scenarios[index];
    before.name.clear();
    before.labels.clear();
    result_.scenarios[index] = std::move(one.scenario);
    return result_.scenarios[index] != before;
  }

  SequenceResult result_;
  const Signature& signature_;
  const SequenceFailingWith& fails_with_;
  const ShrinkLimits& limits_;
  Clock::time_point start_ = Clock::now();
};

}  // namespace

SequenceResult shrink_sequence(const std::vector<Scenario>& failing, const Signature& signature,
                               const SequenceFailingWith& fails_with, const ShrinkLimits& limits) {
  if (failing.empty()) throw InputError("a sequence to shrink must hold at least one scenario");
  return SequenceShrinker(failing, signature, fails_with, limits).shrink_all();
}

}  // namespace helixcheck
