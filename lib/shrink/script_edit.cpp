#include "shrink/script_edit.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "scenario/script.hpp"

namespace helixcheck {
namespace {

bool counts_tokens(StepKind kind) {
  return kind == StepKind::decode || kind == StepKind::reject;
}

// Puts events together to steps, following who is live and how many tokens each has generated.
class Assembler {
 public:
  explicit Assembler(const std::vector<std::int64_t>& kept) {
    for (const std::int64_t id : kept) new_ids_.emplace(id, std::ssize(new_ids_));
    next_id_ = std::ssize(new_ids_);
  }

  void add(const Event& event) {
    Step step{event.kind, {}, {}};
    for (std::size_t i = 0; i < event.requests.size(); ++i) {
      const std::int64_t tokens = counts_tokens(event.kind) ? event.tokens[i] : 0;
      add_use(event, event.requests[i], tokens, step);
    }
    if (!step.requests.empty()) script.push_back(std::move(step));
  }

  std::vector<Step> script;

 private:
  struct State {
    bool joined = false, live = false;
    std::int64_t generated = 0;
  };

  void add_use(const Event& event, std::int64_t old_id, std::int64_t tokens, Step& step) {
    const auto known = new_ids_.find(old_id);
    if (known == new_ids_.end()) return;
    const std::int64_t id = known->second;
    State& state = states_[id];
    if (event.kind == StepKind::join ? state.joined : !state.live) return;
    if (std::find(step.requests.begin(), step.requests.end(), id) != step.requests.end()) return;
    switch (event.kind) {
      case StepKind::join: state.joined = state.live = true; break;
      case StepKind::decode: state.generated += tokens; break;
      case StepKind::reject:
        tokens = std::min(tokens, state.generated);
        if (tokens == 0) return;
        state.generated -= tokens;
        break;
      case StepKind::finish: state.live = false; break;
      case StepKind::fork: {
        const State parent = state;
        new_ids_[event.child] = next_id_;
        states_[next_id_++] = parent;
        break;
      }
    }
    step.requests.push_back(id);
    if (counts_tokens(event.kind)) step.tokens.push_back(tokens);
  }

  std::map<std::int64_t, std::int64_t> new_ids_;  // by old id
  std::map<std::int64_t, State> states_;          // by new id
  std::int64_t next_id_ = 0;
};

// Lists that say what an empty list says are cleared.
void clear_defaults(const Problem& problem, std::vector<Step>& script) {
  Roster roster(problem);
  for (Step& step : script) {
    const Step full = step;
    if (step.kind != StepKind::fork) {
      const Step bare = roster.written_out({step.kind, {}, {}});
      if (bare.requests == step.requests) step.requests.clear();
    }
    const bool ones = std::all_of(step.tokens.begin(), step.tokens.end(),
                                  [](std::int64_t tokens) { return tokens == 1; });
    if (ones) step.tokens.clear();
    roster.apply(full);
  }
}

// A script that the two default fields can say is said by them.
void use_default_fields(Scenario& scenario) {
  const std::vector<Step>& script = scenario.script;
  if (script.size() < 2 || script[1].kind != StepKind::decode) return;
  const std::vector<std::int64_t>& tokens = script[1].tokens;
  Problem problem = scenario.problem;
  problem.decode_steps = std::ssize(script) - 1;
  problem.predicted_tokens_per_seq = tokens.empty() ? 1 : tokens[0];
  std::vector<Step> standard = default_script(problem);
  clear_defaults(problem, standard);
  if (standard != script) return;
  scenario.problem = std::move(problem);
  scenario.script.clear();
}

}  // namespace

std::vector<Event> events_of(const Scenario& scenario) {
  std::vector<Event> events;
  std::int64_t next_child = scenario.problem.batch();
  for (Step& step : expand_script(scenario)) {
    const std::int64_t child = step.kind == StepKind::fork ? next_child++ : -1;
    events.push_back({step.kind, std::move(step.requests), std::move(step.tokens), child});
  }
  return events;
}

Scenario with_events(const Scenario& scenario, const std::vector<Event>& events,
                     const std::vector<std::int64_t>& dropped) {
  Scenario edited = scenario;
  edited.problem.ctx_len.clear();
  std::vector<std::int64_t> kept;
  for (std::int64_t id = 0; id < scenario.problem.batch(); ++id) {
    if (std::find(dropped.begin(), dropped.end(), id) != dropped.end()) continue;
    kept.push_back(id);
    edited.problem.ctx_len.push_back(scenario.problem.ctx_len[static_cast<std::size_t>(id)]);
  }
  if (scenario.problem.entry == Entry::merge || edited.problem.ctx_len.empty()) return edited;
  Assembler assembler(kept);
  for (const Event& event : events) assembler.add(event);
  edited.script = std::move(assembler.script);
  edited.problem.decode_steps = 1;
  edited.problem.predicted_tokens_per_seq = 1;
  clear_defaults(edited.problem, edited.script);
  use_default_fields(edited);
  return edited;
}

}  // namespace helixcheck
