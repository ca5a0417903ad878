// Scripts under the knife. A script is taken apart into events that name every request, forks
// included, by an id that stays its own; events may be dropped or changed freely; put together
// again, requests are renumbered and what has lost its meaning is left out.

#pragma once

#include <cstdint>
#include <vector>

#include "scenario/scenario.hpp"

namespace helixcheck {

struct Event {
  StepKind kind = StepKind::decode;
  std::vector<std::int64_t> requests;
  std::vector<std::int64_t> tokens;  // decode and reject: one for each request
  std::int64_t child = -1;           // fork: the id of the new request
};

// Requires a valid scenario. The default script is written out, too; at entry merge there are none.
std::vector<Event> events_of(const Scenario& scenario);

// The scenario with those events as its script and without the requests of ctx_len that are
// `dropped`. Uses of requests that are not live vanish, rejections are cut to the tokens there are,
// empty steps vanish, lists that say what the default says are cleared, and a script that is a
// default script becomes `decode_steps` and `predicted_tokens_per_seq`. No promise that the result
// is valid: nothing may be left to decode.
Scenario with_events(const Scenario& scenario, const std::vector<Event>& events,
                     const std::vector<std::int64_t>& dropped = {});

}  // namespace helixcheck
