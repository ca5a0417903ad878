// A clock in the order of a memory's work, and what its processor reaches: what measurements need.

#pragma once

#include <memory>
#include <string>

#include "device/memory.hpp"

namespace helixcheck {

// What was measured on this device, in its present state.
struct Rates {
  double read_bytes_per_s = 0;  // one sweep over memory, only read
  double bf16_flops = 0;        // one large matrix product, random values
};

class Timing {
 public:
  virtual ~Timing() = default;
  // Enqueues work after which nothing of earlier data is left in the last-level cache.
  virtual void flush_cache() = 0;
  // Marks in stream order.
  virtual void start() = 0;
  virtual void stop() = 0;
  virtual double elapsed_us() = 0;  // between the last two marks; waits for the second
  // Takes some seconds. All 0 where a roofline means nothing (hosts).
  virtual Rates measure_rates() = 0;
  // Clocks, power limit and the like: "SM 1980 MHz, memory 2619 MHz, limit 700 W".
  virtual std::string state() const = 0;
};

// The steady clock.
std::unique_ptr<Timing> make_host_timing();

}  // namespace helixcheck
