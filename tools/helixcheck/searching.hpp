// What the verbs that search and shrink take from the command line.

#pragma once

#include "campaign/fresh_process.hpp"
#include "options.hpp"
#include "shrink/shrinker.hpp"

namespace helixcheck {

// --jobs; without it the machine's cores, or one for a plug-in, of which nobody knows whether its
// instances may run side by side.
int worker_count(const Options& options);

ShrinkLimits shrink_limits(const Options& options);

// This command again, on the same subject.
FreshProcess fresh_process(const Options& options);

}  // namespace helixcheck
