// Who is live at each point of a script: the one place that gives meaning to empty request lists
// and numbers forks, shared by expansion and validation.

#pragma once

#include <cstdint>
#include <vector>

#include "scenario/scenario.hpp"

namespace helixcheck {

// Not the tokens themselves: only how many each request holds.
class Roster {
 public:
  struct Request {
    bool joined = false;
    bool live = false;
    std::int64_t prompt_len = 0;
    std::int64_t tokens = 0;
  };

  explicit Roster(const Problem& problem);

  // The step with its defaults written out. Takes any step, runnable or not.
  Step written_out(const Step& step) const;

  // Requires a written-out step that the rules of a script allow.
  void apply(const Step& step);

  const std::vector<Request>& requests() const { return requests_; }

 private:
  std::vector<Request> requests_;  // by id
};

// The script a scenario without one stands for: join all, then decode_steps times all.
std::vector<Step> default_script(const Problem& problem);

}  // namespace helixcheck
