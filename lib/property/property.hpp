// Properties: statements that hold for every scenario, checked one scenario at a time.
//
// `equivalence` compares a run with the reference, tap by tap. The others are metamorphic: they run
// the subject on a scenario and on variations of it and compare the runs with each other, bit for
// bit or within a bound. All of them are deterministic: what a property varies is a function of the
// scenario, so that a failure is replayed and shrunk from the scenario alone.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "run/run.hpp"
#include "scenario/scenario.hpp"
#include "subject/subject.hpp"
#include "verdict/verdict.hpp"

namespace helixcheck {

// What broke. `kind` as in shrink/signature.hpp.
struct Failure {
  std::string kind;
  Blame blame;
  std::optional<Scenario> varied{};  // relations: the variation that disagreed with the scenario
};

struct PropertyResult {
  std::optional<Failure> failure;
  std::vector<TapResult> taps;    // how close each came to its bound; empty: nothing was comparable
  std::int64_t subject_runs = 0;  // pipelines run, repetitions included
  std::uint64_t output_hash = 0;  // of the first run's results
};

// What a run that was compared with the reference means for `equivalence`.
PropertyResult equivalence_result(const RunResult& run);

// How strong a relation holds for a subject: bit for bit, within a bound, or not at all.
enum class Strength { bits, bound, none };
std::string_view name_of(Strength strength);

struct Property {
  std::string_view name;
  std::string_view about;  // one line for `list properties`
  int weight = 1;          // share of a campaign's cases, relative to the others
  // Whether the property says something about this scenario and subject.
  bool (*applies)(const Scenario& scenario, const Subject& subject) = nullptr;
  // Requires a valid scenario it applies to. Worlds are simulated in this process. The listener of
  // the options sees the runs of `equivalence` only.
  PropertyResult (*check)(const Scenario& scenario, const Subject& subject,
                          const RunOptions& options) = nullptr;
};

// The one table, `equivalence` first.
std::span<const Property> properties();

// Throws InputError listing the known names.
const Property& find_property(std::string_view name);

}  // namespace helixcheck
