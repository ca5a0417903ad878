// The table of relations, and the check that all of them share.

#include "property/relation.hpp"

#include <array>
#include <fmt/format.h>

#include "generate/case.hpp"
#include "property/property_result.hpp"
#include "property/strength.hpp"
#include "property/trace_compare.hpp"
#include "property/variations.hpp"
#include "property/varied_inputs.hpp"

namespace helixcheck {
namespace {

// clang-format off
constexpr std::array kRelations{
    Relation{"ranks", "another number of KVP ranks gives the same values",
             variations::ranks, false},
    Relation{"ownership", "it does not matter which rank owns a token", variations::ownership},
    Relation{"tpa", "another tensor-parallel width gives the same heads", variations::tpa, false},
    Relation{"page_size", "the page size changes no value", variations::page_size},
    Relation{"page_order", "the order of pages changes no value", variations::page_order},
    Relation{"cache_layout", "gaps, spare pages and page ids change no value",
             variations::cache_layout},
    Relation{"poison", "what nobody owns changes no value, whatever it holds", variations::poison},
    Relation{"request_order", "the order of requests in a step changes no value",
             variations::request_order},
    Relation{"padding_rows", "rows that belong to no request change no value",
             variations::padding_rows},
    Relation{"observation", "looking at the taps changes no value", variations::observation},
    Relation{"repetition", "the same again gives the same bits", variations::repetition},
    Relation{"launch", "a graph recorded for one step gives the next ones' bits",
             variations::launch},
    Relation{"instance_life", "a used instance equals a new one", variations::instance_life},
    Relation{"lse_form", "it does not matter how the statistics are written",
             variations::lse_form},
    Relation{"split_steps", "a step of n tokens equals n steps of one", variations::split_steps},
    Relation{"append_is_prompt", "decoded tokens equal tokens of a longer prompt",
             variations::append_is_prompt, true, true},
};
// clang-format on

// One run, alive as long as it is compared.
struct Run {
  Run(const Inputs& values, const VariedRun& varied, const Subject& subject,
      const StageContracts& contracts, const TraceWants& wants)
      : inputs(values, varied.scenario),
        trace(take_trace(inputs, subject, wants)),
        tolerance(inputs, trace, contracts) {}

  const VariedInputs inputs;
  const Trace trace;
  SpanTolerance tolerance;
  TracedRun view() { return {inputs, trace, tolerance}; }
};

class RelationCheck {
 public:
  RelationCheck(const Relation& relation, const Scenario& scenario, const Subject& subject,
                const RunOptions& options)
      : relation_(relation),
        subject_(subject),
        contracts_(contracts_of(subject, options)),
        runs_(relation.runs(scenario)),
        case_(make_case(scenario)) {
    rules_.strength = strength_of(relation.name, subject);
    rules_.outputs = relation.outputs;
    rules_.prefix = relation.prefix;
    rules_.sources_are_free = scenario.problem.entry == Entry::layer && sources_vary(subject);
  }

  PropertyResult check();

 private:
  std::optional<Stage> find_stage(const VariedRun& varied);

  const Relation& relation_;
  const Subject& subject_;
  const StageContracts contracts_;
  const std::vector<VariedRun> runs_;
  const std::unique_ptr<Inputs> case_;
  ComparisonRules rules_;
};

// At strength bits nothing but the results was kept: both runs are repeated to see whether what
// attend starts from differs already.
std::optional<Stage> RelationCheck::find_stage(const VariedRun& varied) {
  Run first(*case_, runs_[0], subject_, contracts_, {true, false});
  Run second(*case_, varied, subject_, contracts_, {true, false});
  const std::vector<TraceRow> a = rows_of(first.trace), b = rows_of(second.trace);
  for (std::size_t i = 0, j = 0; i < a.size(); ++i) {
    while (j < b.size() && before(b[j].token, a[i].token)) ++j;
    if (j == b.size() || !(b[j].token == a[i].token)) continue;
    const auto tap = source_difference(first.view(), a[i], second.view(), b[j]);
    if (tap) return stage_of(*tap);
  }
  return std::nullopt;
}

PropertyResult RelationCheck::check() {
  PropertyResult result;
  const TraceWants wants{rules_.strength == Strength::bound, false};
  Run first(*case_, runs_[0], subject_, contracts_, wants);
  result.subject_runs = 1;
  result.output_hash = hash_of(first.trace);
  result.failure = first.trace.error;
  ResultTallies sum;
  for (std::size_t i = 1; i < runs_.size() && !result.failure; ++i) {
    Run second(*case_, runs_[i], subject_, contracts_, wants);
    ++result.subject_runs;
    if (second.trace.error) {
      result.failure = second.trace.error;
    } else {
      const Comparison one = compare(first.view(), second.view(), rules_);
      sum.absorb(one.tallies);
      if (one.blame) result.failure = Failure{"relation", *one.blame};
    }
    if (!result.failure) continue;
    result.failure->varied = runs_[i].scenario;
    Blame& blame = result.failure->blame;
    if (!second.trace.error && rules_.strength == Strength::bits &&
        sources_fit(runs_[i].scenario) && sources_fit(runs_[0].scenario)) {
      blame.stage = find_stage(runs_[i]);
      result.subject_runs += 2;
    }
    blame.sentence =
        fmt::format("{}: with {}, {}", relation_.name, runs_[i].change, blame.sentence);
  }
  result.taps = results_of(sum);
  return result;
}

}  // namespace

std::span<const Relation, kRelationCount> relations() {
  return kRelations;
}

bool applies(const Relation& relation, const Scenario& scenario, const Subject& subject) {
  const Strength strength = strength_of(relation.name, subject);
  if (strength == Strength::none || (strength == Strength::bound && !sources_fit(scenario))) {
    return false;
  }
  return !relation.runs(scenario).empty();
}

PropertyResult check(const Relation& relation, const Scenario& scenario, const Subject& subject,
                     const RunOptions& options) {
  return repeated_if_failed(
      options, [&] { return RelationCheck(relation, scenario, subject, options).check(); });
}

}  // namespace helixcheck
