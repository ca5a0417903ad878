// Scripts with their defaults written out.

#include "scenario/script.hpp"

namespace helixcheck {

Roster::Roster(const Problem& problem) {
  for (const std::int64_t length : problem.ctx_len) {
    requests_.push_back({false, false, length, length});
  }
}

Step Roster::written_out(const Step& step) const {
  Step full = step;
  if (step.requests.empty()) {
    for (std::size_t id = 0; id < requests_.size(); ++id) {
      const Request& request = requests_[id];
      const bool wanted = step.kind == StepKind::join ? !request.joined : request.live;
      if (wanted) full.requests.push_back(static_cast<std::int64_t>(id));
    }
  }
  const bool counts = step.kind == StepKind::decode || step.kind == StepKind::reject;
  if (counts && step.tokens.empty()) full.tokens.assign(full.requests.size(), 1);
  return full;
}

void Roster::apply(const Step& step) {
  for (std::size_t i = 0; i < step.requests.size(); ++i) {
    Request& request = requests_[static_cast<std::size_t>(step.requests[i])];
    switch (step.kind) {
      case StepKind::join: request.joined = request.live = true; break;
      case StepKind::decode: request.tokens += step.tokens[i]; break;
      case StepKind::reject: request.tokens -= step.tokens[i]; break;
      case StepKind::finish: request.live = false; break;
      case StepKind::fork: {
        const Request copy = request;
        requests_.push_back(copy);
        break;
      }
    }
  }
}

std::vector<Step> default_script(const Problem& problem) {
  std::vector<Step> script{{StepKind::join, {}, {}}};
  const std::vector<std::int64_t> tokens(problem.ctx_len.size(), problem.predicted_tokens_per_seq);
  script.resize(1 + static_cast<std::size_t>(problem.decode_steps),
                Step{StepKind::decode, {}, tokens});
  return script;
}

std::vector<Step> expand_script(const Scenario& scenario) {
  if (scenario.problem.entry == Entry::merge) return {};
  Roster roster(scenario.problem);
  std::vector<Step> expanded;
  for (const Step& step :
       scenario.script.empty() ? default_script(scenario.problem) : scenario.script) {
    expanded.push_back(roster.written_out(step));
    roster.apply(expanded.back());
  }
  return expanded;
}

}  // namespace helixcheck
