// What a planted fault sees and may change: one stage of one rank, before and after the CPU subject
// has done it.

#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "subject/helixcheck_subject.h"

namespace helixcheck {

// What an instance remembers of its last step on one rank.
struct FaultMemory {
  std::vector<hxc_request> requests;
};

struct FaultSite {
  // A copy: what it points to is the rank's, but for the integers of `visible` and `block_table`,
  // which are copies, too, before the stage.
  hxc_step step;
  const FaultMemory& memory;
  double threshold;
  bool dry = false;     // to say whether it would strike, and do nothing
  bool struck = false;  // it did, or would have

  // Whether to go on, where the fault's conditions are met.
  bool strikes() {
    struck = true;
    return !dry;
  }
};

// The integers that a fault may change before the stage.
std::int64_t& visible_at(FaultSite& site, std::int64_t row);
std::int64_t& page_at(FaultSite& site, std::int64_t request, std::int64_t page);

using FaultHook = void (*)(FaultSite&);

struct FaultRule {
  std::string_view name;
  std::string_view about;
  hxc_stage stage;
  FaultHook before;  // or nullptr
  FaultHook after;
  double threshold;  // tuned for the rate, nothing else
  bool numeric;      // its error grows with what the values do; else it strikes or does not
};

// Conjunctions of conditions on ranks, requests, lengths and steps.
extern const FaultRule kDiscreteFaults[];
extern const std::size_t kDiscreteFaultCount;
// Arithmetic that loses more the further the values go.
extern const FaultRule kNumericFaults[];
extern const std::size_t kNumericFaultCount;

}  // namespace helixcheck
