// What a step must read and compute at least, and how long that takes at the rates measured on the
// same device.

#pragma once

#include <cstdint>

#include "device/timing.hpp"
#include "scenario/scenario.hpp"

namespace helixcheck::bench {

// Of stage `attend`, for the ranks that share one device.
struct AttendWork {
  double bytes = 0;         // keys once, queries, partial results
  double flops = 0;         // two products: scores and values
  double issued_flops = 0;  // with rows padded to the 64 of a matrix instruction
};
// `keys`: of one request, summed over the ranks of the device.
AttendWork attend_work(const Scenario& scenario, std::int64_t keys, std::int64_t ranks_here);

struct Roof {
  double us = 0;
  bool memory_bound = true;
};
Roof roof_of(const AttendWork& work, const Rates& rates);

// What one rank sends to the others in `exchange`.
double exchange_bytes(const Scenario& scenario);

}  // namespace helixcheck::bench
