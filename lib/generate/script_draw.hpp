// Random scripts: requests that join, decode, lose draft tokens, fork and finish.

#pragma once

#include <vector>

#include "generate/choices.hpp"
#include "scenario/scenario.hpp"

namespace helixcheck {

// How likely each kind of step is, relative to the others.
struct ScriptStyle {
  int join = 0, decode = 0, reject = 0, finish = 0, fork = 0;
  std::int64_t max_tokens = 1;  // of one request in one decode step
  std::int64_t max_steps = 10;
};

// A script that the problem's `ctx_len` allows and that decodes at least one token.
std::vector<Step> draw_script(const Problem& problem, const ScriptStyle& style, Choices& choices);

}  // namespace helixcheck
