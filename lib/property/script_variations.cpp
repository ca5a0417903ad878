// How often, in which order and in how many steps the same tokens are worked on.

#include <algorithm>
#include <fmt/format.h>

#include "property/variations.hpp"

namespace helixcheck::variations {
namespace {

// The scenario with `script` instead of the fields that stand for a default one.
Scenario with_script(Scenario scenario, std::vector<Step> script) {
  const Problem standard;
  scenario.problem.decode_steps = standard.decode_steps;
  scenario.problem.predicted_tokens_per_seq = standard.predicted_tokens_per_seq;
  scenario.script = std::move(script);
  return scenario;
}

// A step of several query tokens a request as steps of at most one each.
void split(const Step& step, std::vector<Step>& script) {
  const std::int64_t most = *std::max_element(step.tokens.begin(), step.tokens.end());
  for (std::int64_t token = 0; token < most; ++token) {
    Step part{StepKind::decode, {}, {}};
    for (std::size_t i = 0; i < step.requests.size(); ++i) {
      if (step.tokens[i] <= token) continue;
      part.requests.push_back(step.requests[i]);
      part.tokens.push_back(1);
    }
    script.push_back(part);
  }
}

}  // namespace

Runs unchanged(const Scenario& scenario) {
  VariedRun run{"", scenario};
  run.scenario.run.observe = Observe::all;
  run.scenario.run.skew_us = 0;
  run.scenario.run.world = WorldKind::sim;
  run.scenario.run.transport = TransportKind::automatic;
  run.scenario.run.launch = Launch::direct;
  return {run};
}

Runs observation(const Scenario& scenario) {
  Runs runs = unchanged(scenario);
  Scenario varied = runs[0].scenario;
  varied.run.observe = Observe::end;
  runs.push_back({"observe end instead of all", varied});
  return runs;
}

Runs repetition(const Scenario& scenario) {
  Runs runs = unchanged(scenario);
  runs.push_back({"the same again", runs[0].scenario});
  return runs;
}

// From the second step of a shape on, the first one's work is run again.
Runs launch(const Scenario& scenario) {
  if (scenario.problem.entry == Entry::merge) return {};
  Runs runs = unchanged(scenario);
  Scenario varied = runs[0].scenario;
  varied.run.launch = Launch::graph;
  runs.push_back({"launch graph instead of direct", varied});
  return runs;
}

Runs instance_life(const Scenario& scenario) {
  if (scenario.problem.entry == Entry::merge) return {};
  Runs runs = unchanged(scenario);
  Scenario varied = runs[0].scenario;
  const bool kept = varied.run.instance == InstanceLife::kept;
  varied.run.instance = kept ? InstanceLife::renewed : InstanceLife::kept;
  runs.push_back({kept ? "a new instance each step" : "one instance for all steps", varied});
  return runs;
}

Runs request_order(const Scenario& scenario) {
  if (scenario.problem.entry == Entry::merge || scenario.problem.batch() < 2) return {};
  Runs runs = unchanged(scenario);
  std::vector<Step> script = expand_script(scenario);
  for (Step& step : script) {
    std::reverse(step.requests.begin(), step.requests.end());
    std::reverse(step.tokens.begin(), step.tokens.end());
  }
  if (script == expand_script(scenario)) return {};  // no step has two requests
  runs.push_back({"requests of each step in reverse", with_script(runs[0].scenario, script)});
  return runs;
}

Runs split_steps(const Scenario& scenario) {
  if (scenario.problem.entry == Entry::merge) return {};
  std::vector<Step> script;
  bool changed = false;
  for (const Step& step : expand_script(scenario)) {
    const bool several = step.kind == StepKind::decode && !step.tokens.empty() &&
                         *std::max_element(step.tokens.begin(), step.tokens.end()) > 1;
    changed = changed || several;
    if (several) {
      split(step, script);
    } else {
      script.push_back(step);
    }
  }
  if (!changed) return {};
  Runs runs = unchanged(scenario);
  runs.push_back({"one query token a step", with_script(runs[0].scenario, script)});
  return runs;
}

// The owner of a token must not depend on where its request's prompt ends, so both runs deal their
// tokens round-robin throughout. At `layer` the prompt's rows must come from the subject as well.
Runs append_is_prompt(const Scenario& scenario) {
  const Problem& p = scenario.problem;
  if (p.entry == Entry::merge || !scenario.script.empty()) return {};
  if (p.entry == Entry::layer && p.prompt == Prompt::given) return {};
  const std::int64_t moved = (p.decode_steps - 1) * p.predicted_tokens_per_seq;
  if (moved < 1 || p.predicted_tokens_per_seq == 0) return {};
  Runs runs = unchanged(scenario);
  Layout& layout = runs[0].scenario.layout;
  layout.ownership = Ownership::interleaved;
  layout.decode_owner = DecodeOwner::continued;
  Scenario varied = runs[0].scenario;
  for (std::int64_t& length : varied.problem.ctx_len) length += moved;
  varied.problem.decode_steps = 1;
  runs.push_back({fmt::format("{} tokens in the prompt instead of decoded", moved), varied});
  return runs;
}

}  // namespace helixcheck::variations
