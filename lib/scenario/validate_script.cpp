// The script, replayed on request lengths alone. Sizes are capped before anything is expanded, so
// that the time and memory of this check are bounded for any input.

#include <algorithm>
#include <fmt/format.h>

#include "scenario/fields.hpp"
#include "scenario/names.hpp"
#include "scenario/rules.hpp"
#include "scenario/script.hpp"

namespace helixcheck {
namespace {

constexpr std::int64_t kMaxTokensPerStep = 8;  // of one request
constexpr std::int64_t kMaxRequests = 2 * kMaxBatch;
// With these the canonical text of any valid scenario stays below kMaxJsonBytes.
constexpr std::int64_t kMaxSteps = 10000;
constexpr std::int64_t kMaxListed = 1 << 15;
// Entries of the expanded script: requests summed over the steps.
constexpr std::int64_t kMaxRequestSteps = 1 << 20;
constexpr std::int64_t kPositions = std::int64_t{1} << 31;

class ScriptChecker {
 public:
  explicit ScriptChecker(const Problem& problem) : problem_(problem), roster_(problem) {}

  // Step `number` of the script, as it was written.
  Broken check(std::size_t number, const Step& written) {
    path_ = fmt::format("script[{}]", number);
    const Step step = roster_.written_out(written);
    request_steps_ += std::ssize(step.requests);
    if (request_steps_ > kMaxRequestSteps) {
      return fmt::format("{} exceeds the {} requests that all steps together may name", path_,
                         kMaxRequestSteps);
    }
    if (const Broken broken = check_shape(written, step)) return broken;
    for (std::size_t i = 0; i < step.requests.size(); ++i) {
      if (const Broken broken = check_request(step, i)) return broken;
    }
    roster_.apply(step);
    return std::nullopt;
  }
  std::int64_t decoded() const { return decoded_; }

 private:
  Broken check_shape(const Step& written, const Step& step) const {
    const bool counts = step.kind == StepKind::decode || step.kind == StepKind::reject;
    if (!counts && !step.tokens.empty()) {
      return fmt::format("{}.tokens must be empty, because {} takes none", path_,
                         name_of(step.kind));
    }
    if (counts && step.tokens.size() != step.requests.size()) {
      return fmt::format("{}.tokens has {} entries, but it must have one for each of {} requests",
                         path_, step.tokens.size(), step.requests.size());
    }
    if (step.kind == StepKind::fork) {
      if (written.requests.size() != 1) {
        return fmt::format("{}.requests has {} entries, but fork must name exactly one request",
                           path_, written.requests.size());
      }
      if (std::ssize(roster_.requests()) == kMaxRequests) {
        return fmt::format("{} forks request number {}, but there must be at most {}", path_,
                           kMaxRequests + 1, kMaxRequests);
      }
    }
    if (step.requests.empty()) {
      return fmt::format("{} finds no request to {}: {}", path_, name_of(step.kind),
                         step.kind == StepKind::join ? "all have joined" : "none is live");
    }
    std::vector<std::int64_t> sorted = step.requests;
    std::sort(sorted.begin(), sorted.end());
    const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
    if (twice != sorted.end()) {
      return fmt::format("{}.requests names request {} twice", path_, *twice);
    }
    return std::nullopt;
  }

  Broken check_request(const Step& step, std::size_t i) {
    const std::int64_t id = step.requests[i];
    const auto& requests = roster_.requests();
    if (id < 0 || id >= std::ssize(requests)) {
      return fmt::format("{}.requests[{}] is {}, but there are only requests 0 to {} here", path_,
                         i, id, requests.size() - 1);
    }
    const Roster::Request& request = requests[static_cast<std::size_t>(id)];
    if (step.kind == StepKind::join) {
      if (!request.joined) return check_position(request.tokens);
      return fmt::format("{}.requests[{}] is {}, but a request joins once only", path_, i, id);
    }
    if (!request.live) {
      return fmt::format("{}.requests[{}] is {}, but that request is not live here", path_, i, id);
    }
    if (step.kind == StepKind::decode) return check_decode(request, step.tokens[i], i);
    if (step.kind == StepKind::reject) return check_reject(request, step, i);
    return std::nullopt;
  }

  Broken check_decode(const Roster::Request& request, std::int64_t tokens, std::size_t i) {
    if (tokens < 0 || tokens > kMaxTokensPerStep) {
      return fmt::format("{}.tokens[{}] is {}, but it must be between 0 and {}", path_, i, tokens,
                         kMaxTokensPerStep);
    }
    decoded_ += tokens;
    return check_position(request.tokens + tokens);
  }

  // `tokens`: held by a request after the step.
  Broken check_position(std::int64_t tokens) const {
    const std::int64_t end = problem_.position_base + tokens;
    if (end <= kPositions) return std::nullopt;
    return fmt::format("{} reaches position {}, but positions must be below 2^31", path_, end - 1);
  }

  Broken check_reject(const Roster::Request& request, const Step& step, std::size_t i) const {
    const std::int64_t tokens = step.tokens[i];
    const std::int64_t generated = request.tokens - request.prompt_len;
    if (tokens >= 0 && tokens <= generated) return std::nullopt;
    return fmt::format("{}.tokens[{}] is {}, but request {} has {} generated tokens to reject",
                       path_, i, tokens, step.requests[i], generated);
  }

  const Problem& problem_;
  Roster roster_;
  std::string path_;
  std::int64_t request_steps_ = 0;
  std::int64_t decoded_ = 0;
};

Broken check_default(const Problem& p) {
  if (p.batch() * p.decode_steps > kMaxRequestSteps) {
    return fmt::format("problem.decode_steps is {}, but with batch {} it must be at most {}",
                       p.decode_steps, p.batch(), kMaxRequestSteps / p.batch());
  }
  if (p.decode_steps * p.predicted_tokens_per_seq == 0) {
    return "problem.decode_steps x problem.predicted_tokens_per_seq is 0, but at least one token "
           "must be decoded";
  }
  const std::int64_t longest = *std::max_element(p.ctx_len.begin(), p.ctx_len.end());
  const std::int64_t end = p.position_base + longest + p.decode_steps * p.predicted_tokens_per_seq;
  if (end > kPositions) {
    return fmt::format(
        "problem.position_base is {}, but the last position is then {} and must be "
        "below 2^31",
        p.position_base, end - 1);
  }
  return std::nullopt;
}

Broken check_sizes(const std::vector<Step>& script) {
  if (std::ssize(script) > kMaxSteps) {
    return fmt::format("script has {} steps, but it must have at most {}", script.size(),
                       kMaxSteps);
  }
  std::size_t listed = 0;
  for (const Step& step : script) listed += step.requests.size() + step.tokens.size();
  if (listed > static_cast<std::size_t>(kMaxListed)) {
    return fmt::format("script lists {} requests and tokens, but it must list at most {}", listed,
                       kMaxListed);
  }
  return std::nullopt;
}

// Fields whose meaning another part of the scenario takes over must keep their defaults, or the
// reader would believe in them.
Broken check_unused(const Scenario& scenario) {
  const Problem standard;
  const Problem& p = scenario.problem;
  const bool merge = p.entry == Entry::merge;
  if (merge && !scenario.script.empty()) return "script must be empty at entry merge";
  if (!merge && scenario.script.empty()) return std::nullopt;
  const std::string_view reason = merge ? "at entry merge" : "beside a script";
  if (p.decode_steps != standard.decode_steps) {
    return fmt::format("problem.decode_steps is {}, but it must be {} {}", p.decode_steps,
                       standard.decode_steps, reason);
  }
  if (p.predicted_tokens_per_seq != standard.predicted_tokens_per_seq) {
    return fmt::format("problem.predicted_tokens_per_seq is {}, but it must be {} {}",
                       p.predicted_tokens_per_seq, standard.predicted_tokens_per_seq, reason);
  }
  return std::nullopt;
}

}  // namespace

Broken check_script(const Scenario& scenario) {
  if (const Broken broken = check_unused(scenario)) return broken;
  if (scenario.problem.entry == Entry::merge) return std::nullopt;
  if (scenario.script.empty()) return check_default(scenario.problem);
  if (const Broken broken = check_sizes(scenario.script)) return broken;
  ScriptChecker checker(scenario.problem);
  for (std::size_t i = 0; i < scenario.script.size(); ++i) {
    const Step& step = scenario.script[i];
    if (name_of(step.kind) == "unknown") return fmt::format("script[{}].do must be a step kind", i);
    if (const Broken broken = checker.check(i, step)) return broken;
  }
  if (checker.decoded() == 0) return "script decodes no token, but at least one must be decoded";
  return std::nullopt;
}

}  // namespace helixcheck
