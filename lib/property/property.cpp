// The table of properties.

#include "property/property.hpp"

#include <fmt/format.h>
#include <utility>
#include <vector>

#include "property/data_properties.hpp"
#include "property/merge_properties.hpp"
#include "property/position_properties.hpp"
#include "property/relation.hpp"
#include "property/value_properties.hpp"
#include "scenario/error.hpp"

namespace helixcheck {
namespace {

bool always(const Scenario&, const Subject&) {
  return true;
}

PropertyResult check_equivalence(const Scenario& scenario, const Subject& subject,
                                 const RunOptions& options) {
  if (options.elsewhere) {
    return equivalence_result(options.elsewhere(scenario, options.repeat_failures));
  }
  const std::unique_ptr<World> world = make_sim_world(scenario);
  return equivalence_result(run_scenario(scenario, *world, subject, options));
}

// A property is a pair of plain functions: the place of a relation in its table is part of theirs.
template <std::size_t index>
Property relation_property() {
  const Relation& relation = relations()[index];
  Property property;
  property.name = relation.name;
  property.about = relation.about;
  property.applies = [](const Scenario& scenario, const Subject& subject) {
    return applies(relations()[index], scenario, subject);
  };
  property.check = [](const Scenario& scenario, const Subject& subject, const RunOptions& options) {
    return check(relations()[index], scenario, subject, options);
  };
  return property;
}

template <std::size_t... indices>
std::vector<Property> make_table(std::index_sequence<indices...>) {
  std::vector<Property> table{
      Property{"equivalence", "every tap is within its bound of the fp64 reference", 4, always,
               check_equivalence},
      relation_property<indices>()...,
      Property{"convexity", "merged values lie between the values seen", 1, convexity_applies,
               check_convexity},
      Property{"constant_value", "the mean of a constant is that constant", 1,
               constant_value_applies, check_constant_value},
      Property{"shard_value", "shards weigh what their statistics say", 1, shard_value_applies,
               check_shard_value},
      Property{"rope_differences", "scores depend on differences of positions only", 1,
               rope_differences_applies, check_rope_differences},
      Property{"merge_permutation", "the order of partials does not matter", 1, merge_applies,
               check_merge_permutation},
      Property{"merge_association", "partials may be merged in groups", 1,
               merge_association_applies, check_merge_association},
      Property{"merge_shift", "a common shift of all LSEs shifts the merged one", 1, merge_applies,
               check_merge_shift},
      Property{"merge_gauge", "(max, sum) pairs of one LSE weigh the same", 1, merge_gauge_applies,
               check_merge_gauge},
      Property{"merge_empty", "partials without keys change nothing", 1, merge_applies,
               check_merge_empty},
      Property{"heavy_mass", "planted keys have their share of the softmax (no subject runs)", 1,
               heavy_mass_applies, check_heavy_mass}};
  return table;
}

const std::vector<Property>& table() {
  static const std::vector<Property> properties =
      make_table(std::make_index_sequence<kRelationCount>());
  return properties;
}

}  // namespace

PropertyResult equivalence_result(const RunResult& run) {
  PropertyResult result;
  result.subject_runs = run.repeated ? 2 : 1;
  result.output_hash = run.output_hash;
  result.taps = run.verdict.taps;
  if (run.verdict.pass) return result;
  const Blame blame = run.verdict.blame.value_or(Blame{});
  const char* kind = !run.same_again ? "nondeterminism" : blame.tap ? "value" : "error";
  result.failure = Failure{run.ended.empty() ? kind : run.ended, blame};
  return result;
}

std::string_view name_of(Strength strength) {
  switch (strength) {
    case Strength::bits: return "bits";
    case Strength::bound: return "bound";
    case Strength::none: return "none";
  }
  return "unknown";
}

std::span<const Property> properties() {
  return table();
}

const Property& find_property(std::string_view name) {
  std::string known;
  for (const Property& property : table()) {
    if (property.name == name) return property;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", property.name);
  }
  throw InputError(fmt::format("there is no property '{}'; there are {}", name, known));
}

}  // namespace helixcheck
