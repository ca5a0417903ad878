#include "shrink/search.hpp"

#include <algorithm>
#include <thread>

#include "scenario/validate.hpp"
#include "shrink/order.hpp"

namespace helixcheck {

Search::Search(const Scenario& failing, const Signature& signature, const FailingWith& fails_with,
               const ShrinkLimits& limits)
    : current_(failing),
      complexity_(complexity(failing)),
      signature_(signature),
      fails_with_(fails_with),
      limits_(limits) {
  current_.name.clear();
  current_.labels.clear();
}

double Search::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

bool Search::first_failing(const Candidates& candidates) {
  if (stopped()) return false;
  bool taken = false;
  candidates([this, &taken](Scenario candidate) {
    if (!taken && !stopped()) taken = offer(std::move(candidate));
    return taken || stopped();
  });
  if (!taken && !stopped()) taken = take_first();
  pending_.clear();
  return taken;
}

bool Search::offer(Scenario candidate) {
  if (complexity(candidate) >= complexity_) return false;
  const auto [entry, fresh] = verdicts_.try_emplace(identity(candidate));
  Verdict* verdict = &entry->second;
  if (fresh && find_error(candidate)) verdict->known = verdict->counted = true;
  if (verdict->known && verdict->counted && !verdict->fails && !verdict->error) return false;
  pending_.push_back({std::move(candidate), verdict});
  return std::ssize(pending_) >= limits_.jobs && take_first();
}

bool Search::take_first() {
  if (limit_reached()) return false;
  evaluate_pending();
  for (Pending& pending : pending_) {
    Verdict& verdict = *pending.verdict;
    if (!verdict.counted) {
      if (evaluations_ == limits_.evaluations) {
        stopped_by_ = "evaluations";
        return false;
      }
      ++evaluations_;
      verdict.counted = true;
    }
    if (verdict.error) std::rethrow_exception(verdict.error);
    if (verdict.fails) {
      current_ = std::move(pending.scenario);
      complexity_ = complexity(current_);
      pending_.clear();
      return true;
    }
  }
  pending_.clear();
  return false;
}

void Search::evaluate_pending() {
  const auto evaluate = [this](Pending& pending) {
    Verdict& verdict = *pending.verdict;
    try {
      verdict.fails = fails_with_(pending.scenario) == signature_;
    } catch (...) {
      verdict.error = std::current_exception();
    }
  };
  std::vector<Pending*> unknown;
  for (Pending& pending : pending_) {
    if (pending.verdict->known) continue;
    pending.verdict->known = true;  // one evaluation, even if the batch holds it twice
    unknown.push_back(&pending);
  }
  // The cap is looked at before the subject is run for nothing.
  if (evaluations_ == limits_.evaluations) {
    for (Pending* pending : unknown) pending->verdict->known = false;
    return;
  }
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < unknown.size(); ++i) {
    others.emplace_back([&evaluate, other = unknown[i]] { evaluate(*other); });
  }
  if (!unknown.empty()) evaluate(*unknown[0]);
}

bool Search::limit_reached() {
  if (pending_.empty()) return true;
  if (limits_.interrupted && limits_.interrupted()) stopped_by_ = "interrupt";
  if (seconds() >= limits_.seconds) stopped_by_ = "seconds";
  return stopped();
}

}  // namespace helixcheck
