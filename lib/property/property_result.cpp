// Hashing and repetition, once for all checks.

#include "property/property_result.hpp"

#include <array>
#include <cmath>
#include <fmt/format.h>
#include <utility>

namespace helixcheck {
namespace {

std::array<std::pair<Tap, const Tally*>, 3> in_order(const ResultTallies& tallies) {
  return {{{Tap::combined, &tallies.combined},
           {Tap::combined_lse, &tallies.combined_lse},
           {Tap::output, &tallies.output}}};
}

std::string sentence_for(const TapResult& r) {
  const auto named = [](const char* name, std::int64_t value) {
    return value >= 0 ? fmt::format(", {} {}", name, value) : std::string();
  };
  const std::string rule =
      r.exact ? "the bits must agree" : fmt::format("at most {:.3g} apart", r.worst_bound);
  return fmt::format("step {}: {}{}{}{}{} is {:.9g} against {:.9g}; {}", r.worst.step,
                     name_of(r.tap), named("request", r.worst.request), named("row", r.worst.row),
                     named("head", r.worst.head), named("element", r.worst.element), r.worst_got,
                     r.worst_want, rule);
}

}  // namespace

void ResultTallies::absorb(const ResultTallies& other) {
  combined.absorb(other.combined);
  combined_lse.absorb(other.combined_lse);
  output.absorb(other.output);
}

void compare_finite(Tally& tally, double got, double want, double bound, const Place& place) {
  if (std::isfinite(got) && std::isfinite(want)) {
    return tally.compare_derived(got, want, bound, place);
  }
  tally.compare_derived(std::isfinite(got) ? std::nan("") : got, 0, 0, place);
}

std::optional<Blame> first_blame(const ResultTallies& tallies) {
  for (const auto& entry : in_order(tallies)) {
    if (!entry.second->failed()) continue;
    const TapResult result = entry.second->result(entry.first);
    return Blame{std::nullopt, entry.first, result.worst, sentence_for(result)};
  }
  return std::nullopt;
}

std::vector<TapResult> results_of(const ResultTallies& tallies) {
  std::vector<TapResult> results;
  for (const auto& entry : in_order(tallies)) {
    if (entry.second->empty()) continue;
    results.push_back(entry.second->result(entry.first));
    results.back().blindness = 0;
  }
  return results;
}

std::uint64_t hash_of(const Trace& trace) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const TraceStep& step : trace.steps) {
    for (const std::byte byte : step.output.empty() ? step.combined : step.output) {
      hash = (hash ^ static_cast<std::uint8_t>(byte)) * 0x100000001b3u;
    }
  }
  return hash;
}

PropertyResult repeated_if_failed(const RunOptions& options,
                                  const std::function<PropertyResult()>& check) {
  PropertyResult result = check();
  if (!result.failure || !options.repeat_failures) return result;
  const PropertyResult again = check();
  result.subject_runs += again.subject_runs;
  const bool same = again.failure && again.failure->kind == result.failure->kind &&
                    again.failure->blame.sentence == result.failure->blame.sentence &&
                    again.output_hash == result.output_hash;
  if (!same) result.failure->kind = "nondeterminism";
  return result;
}

}  // namespace helixcheck
