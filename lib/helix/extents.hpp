// The largest sizes a scenario reaches over its whole script. Known before anything is allocated,
// so that no step has to grow a buffer.

#pragma once

#include <cstdint>
#include <vector>

#include "scenario/scenario.hpp"

namespace helixcheck {

// Most prompt rows a rank projects at once: on the host, and on a device, which wants more work a
// launch.
inline constexpr std::int64_t kPromptChunk = 256;
inline constexpr std::int64_t kDevicePromptChunk = 16384;

struct Extents {
  std::int64_t rows = 0;               // of one decode step, padding included
  std::int64_t prompt_rows = 0;        // of one prompt chunk on one rank
  std::int64_t requests = 0;           // in one decode step
  std::int64_t local_len = 0;          // of one request on one rank
  std::int64_t pages_per_request = 0;  // on one rank
  std::vector<std::int64_t> pages;     // for each KVP rank, live at once; sharing not counted on
};

Extents find_extents(const Scenario& scenario, const std::vector<Step>& script,
                     std::int64_t prompt_chunk = kPromptChunk);

}  // namespace helixcheck
