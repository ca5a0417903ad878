// Measuring one shape: checked once, then timed as a whole and stage by stage.

#pragma once

#include <cstdint>
#include <string>

#include "bench/roofline.hpp"
#include "bench/samples.hpp"
#include "bench/shapes.hpp"
#include "device/timing.hpp"
#include "subject/subject.hpp"
#include "world/world.hpp"

namespace helixcheck::bench {

struct MeasureOptions {
  std::int64_t samples = 100;  // at least as many, or
  double seconds = 0.5;        // this long, whichever comes first; three in any case
  double warm_up_s = 0.1;
  bool warm_cache = false;  // do not flush before each sample
  bool record = true;       // device work recorded once and run from the recording
};

// Times are microseconds, the largest over the ranks for each sample. Stages that a span of the
// subject hides are not measured. Their times come from runs of their own and need not add up to
// the whole.
struct Row {
  Shape shape;
  std::int64_t keys = 0;  // of a request on the fullest rank
  Summary attend, exchange, combine, whole;
  double plan_us = kNotMeasured;
  bool recorded = false;
  AttendWork work;  // of the ranks of one process
  double exchange_bytes = 0;
  std::int64_t values = 0, wrong = 0;  // compared with fp64
  std::string first_wrong;
};

// Every process must call it; the root's result counts. Where a value is wrong, nothing is timed.
Row measure(const Scenario& scenario, const Shape& shape, World& world, const Subject& subject,
            Memory& memory, Timing& timing, const MeasureOptions& options);

}  // namespace helixcheck::bench
