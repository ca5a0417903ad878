// Properties of one run that follow from softmax being a mean: merged values lie between the values
// seen, are the constant where all are equal, and weigh shards by their statistics. None needs the
// reference: what bounds are computed from is what the run shows.

#pragma once

#include "property/property.hpp"

namespace helixcheck {

// convexity: between the smallest and the largest value a row sees. All entries.
bool convexity_applies(const Scenario& scenario, const Subject& subject);
PropertyResult check_convexity(const Scenario& scenario, const Subject& subject,
                               const RunOptions& options);

// constant_value: family constant, the constant itself. Not with forks, whose own tokens have
// another constant.
bool constant_value_applies(const Scenario& scenario, const Subject& subject);
PropertyResult check_constant_value(const Scenario& scenario, const Subject& subject,
                                    const RunOptions& options);

// shard_value: family shard_constant, the sum over ranks of the constant times the share that the
// rank's LSE gives it.
bool shard_value_applies(const Scenario& scenario, const Subject& subject);
PropertyResult check_shard_value(const Scenario& scenario, const Subject& subject,
                                 const RunOptions& options);

}  // namespace helixcheck
