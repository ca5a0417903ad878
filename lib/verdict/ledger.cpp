// Sentences are for people: they name the stage, the value and its place, and what was expected.

#include "verdict/ledger.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace helixcheck {
namespace {

bool is_count(Tap tap) {
  return stage_of(tap) == Stage::plan || tap == Tap::cache_spare || tap == Tap::cache_late;
}

std::string where(const Place& place) {
  std::string text;
  const auto add = [&](const char* name, std::int64_t value) {
    if (value >= 0) text += fmt::format("{}{} {}", text.empty() ? " for " : ", ", name, value);
  };
  add("request", place.request);
  add("row", place.row);
  add("head", place.head);
  add("element", place.element);
  if (place.rank >= 0) text += fmt::format(" on rank {}", place.rank);
  return text;
}

std::string value_text(double value) {
  return std::isnan(value) ? "NaN" : fmt::format("{:.9g}", value);
}

std::string sentence_for(const TapResult& r) {
  const std::string step = r.worst.step >= 0 ? fmt::format("step {}: ", r.worst.step) : "";
  if (r.tap == Tap::cache_spare || r.tap == Tap::cache_late) {
    const char* who = r.tap == Tap::cache_spare ? "append" : "a stage after append";
    return fmt::format(
        "{}{} wrote {} bytes of the cache that it may not write, the first at offset"
        " {}{}",
        step, who, value_text(r.worst_got), r.worst.element,
        r.worst.rank >= 0 ? fmt::format(" on rank {}", r.worst.rank) : "");
  }
  const std::string allowance =
      r.worst_bound > 0 ? fmt::format(" +- {:.2g} before rounding", r.worst_bound) : "";
  return fmt::format("{}{} {} {} {}{}; expected {}{}", step, name_of(stage_of(r.tap)),
                     is_count(r.tap) ? "set" : "wrote", name_of(r.tap), value_text(r.worst_got),
                     where(r.worst), value_text(r.worst_want), allowance);
}

}  // namespace

Blame blame_for(const TapResult& failure) {
  return {stage_of(failure.tap), failure.tap, failure.worst, sentence_for(failure)};
}

void Ledger::close_step() {
  for (int i = 0; i < kTapCount; ++i) {
    Tally& tally = step_[static_cast<std::size_t>(i)];
    if (tally.empty()) continue;
    if (!blame_ && tally.failed()) blame_ = blame_for(tally.result(static_cast<Tap>(i)));
    total_[static_cast<std::size_t>(i)].absorb(tally);
    tally = {};
  }
}

void Ledger::note(std::string line) {
  if (std::find(notes_.begin(), notes_.end(), line) == notes_.end()) {
    notes_.push_back(std::move(line));
  }
}

void Ledger::explain(const std::string& text) {
  if (blame_ && !text.empty()) blame_->sentence += "; " + text;
}

Verdict Ledger::verdict() const {
  Verdict verdict;
  verdict.blame = blame_;
  verdict.pass = !blame_.has_value();
  verdict.notes = notes_;
  std::string hidden;
  for (int i = 0; i < kTapCount; ++i) {
    const Tap tap = static_cast<Tap>(i);
    const Tally& tally = total_[static_cast<std::size_t>(i)];
    if (!tally.empty()) verdict.taps.push_back(tally.result(tap));
    if (absent_[static_cast<std::size_t>(i)]) {
      hidden += fmt::format("{}{}", hidden.empty() ? "" : ", ", name_of(tap));
    }
  }
  if (!hidden.empty()) verdict.notes.push_back("not shown, hence not judged: " + hidden);
  return verdict;
}

const TapResult* Verdict::worst() const {
  const auto found = std::max_element(
      taps.begin(), taps.end(),
      [](const TapResult& a, const TapResult& b) { return a.worst_ratio < b.worst_ratio; });
  return found == taps.end() ? nullptr : &*found;
}

}  // namespace helixcheck
