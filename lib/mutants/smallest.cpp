// What the registry leaves out is found by the shrinker itself, with a predicate that holds what
// the registry names: so both scenarios of a comparison are simple in the same sense.

#include "mutants/smallest.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <sstream>
#include <utility>
#include <vector>

#include "scenario/error.hpp"
#include "scenario/print.hpp"
#include "scenario/validate.hpp"
#include "shrink/order.hpp"
#include "shrink/shrinker.hpp"

namespace helixcheck {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;  // option, value

Fields parse_fields(const Mutant& mutant) {
  Fields fields;
  std::istringstream words{std::string(mutant.smallest)};
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) {
      throw InputError(
          fmt::format("mutant {}: smallest scenario: '{}' is not FIELD=VALUE", mutant.id, word));
    }
    std::string option = word.substr(0, equals);
    std::replace(option.begin(), option.end(), '_', '-');
    fields.emplace_back(std::move(option), word.substr(equals + 1));
  }
  return fields;
}

bool names(const Fields& fields, std::string_view option) {
  return std::any_of(fields.begin(), fields.end(),
                     [&](const auto& field) { return field.first == option; });
}

// Lists are replaced: their options append.
Scenario with_fields(Scenario scenario, const Fields& fields) {
  if (names(fields, "step")) scenario.script.clear();
  if (names(fields, "heavy")) scenario.problem.data.heavy.clear();
  for (const auto& [option, value] : fields) apply_argument(scenario, option, value);
  return scenario;
}

Entry simplest_entry(hxc_stage stage) {
  if (stage == HXC_COMBINE) return Entry::merge;
  return stage == HXC_PROJECT || stage == HXC_OUTPUT ? Entry::layer : Entry::core;
}

Scenario tiny(hxc_stage stage) {
  Scenario scenario;
  Problem& problem = scenario.problem;
  problem.entry = simplest_entry(stage);
  problem.hidden_size = problem.kv_lora_rank = problem.qk_nope_head_dim = problem.v_head_dim = 1;
  problem.qk_rope_head_dim = 2;
  problem.ctx_len = {0};
  return scenario;
}

// A valid scenario with the fields, from which the shrinker can set out.
Scenario starting_point(const Mutant& mutant, const Fields& fields) {
  Scenario scenario = with_fields(tiny(mutant.stage), fields);
  // At `merge` it is the number of partials.
  if (!names(fields, "kvp")) scenario.layout.kvp = scenario.problem.entry == Entry::merge ? 2 : 1;
  if (!names(fields, "num-heads")) scenario.problem.num_heads = scenario.layout.ranks();
  if (const std::optional<std::string> error = find_error(scenario)) {
    throw InputError(
        fmt::format("mutant {}: smallest scenario \"{}\": {}", mutant.id, mutant.smallest, *error));
  }
  return scenario;
}

}  // namespace

Scenario smallest_scenario(const Mutant& mutant) {
  const Fields fields = parse_fields(mutant);
  const Scenario start = starting_point(mutant, fields);
  const Signature held{"smallest", std::string(mutant.id), "value", ""};
  const bool any_entry = names(fields, "entry");
  const auto holds = [&](const Scenario& s) -> std::optional<Signature> {
    if (!any_entry && s.problem.entry != start.problem.entry) return std::nullopt;
    if (identity(with_fields(s, fields)) != identity(s)) return std::nullopt;
    return held;
  };
  return shrink(start, held, holds).scenario;
}

bool as_small(Scenario a, Scenario b) {
  a.problem.data.seed = b.problem.data.seed = Scenario().problem.data.seed;
  return complexity(std::move(a)) <= complexity(std::move(b));
}

}  // namespace helixcheck
