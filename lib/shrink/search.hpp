// The engine below the moves: holds the simplest failing scenario so far, evaluates candidates
// against it, counts, remembers verdicts and keeps the limits.

#pragma once

#include <chrono>
#include <exception>
#include <string>
#include <unordered_map>

#include "shrink/shrinker.hpp"

namespace helixcheck {

class Search {
 public:
  // Called by a move for each of its candidates in turn. True: no more are wanted.
  using Offer = std::function<bool(Scenario)>;
  using Candidates = std::function<void(const Offer&)>;

  Search(const Scenario& failing, const Signature& signature, const FailingWith& fails_with,
         const ShrinkLimits& limits);

  const Scenario& current() const { return current_; }

  // Takes the first candidate, in the order they are offered, that is valid, strictly simpler than
  // the current scenario and fails in the same way: it becomes the current one. False: there was
  // none, or a limit was reached. With `jobs` > 1 some later candidates are evaluated as well;
  // they are not counted until it is their turn, so that every count is independent of `jobs`.
  bool first_failing(const Candidates& candidates);

  bool stopped() const { return !stopped_by_.empty(); }
  const std::string& stopped_by() const { return stopped_by_; }
  std::int64_t evaluations() const { return evaluations_; }
  double seconds() const;

 private:
  struct Verdict {
    bool known = false;
    bool counted = false;
    bool fails = false;
    std::exception_ptr error;
  };
  struct Pending {
    Scenario scenario;
    Verdict* verdict = nullptr;
  };

  bool offer(Scenario candidate);
  bool take_first();  // of those pending
  void evaluate_pending();
  bool limit_reached();

  Scenario current_;
  std::vector<std::uint64_t> complexity_;  // of the current scenario
  const Signature& signature_;
  const FailingWith& fails_with_;
  const ShrinkLimits& limits_;
  std::unordered_map<std::string, Verdict> verdicts_;  // by identity
  std::vector<Pending> pending_;
  std::int64_t evaluations_ = 0;
  std::string stopped_by_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace helixcheck
