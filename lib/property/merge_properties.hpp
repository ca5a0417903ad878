// The algebra of merging, on partial results handed to the subject at entry merge: the order and
// the grouping of partials do not matter, a common shift of their LSEs shifts the merged one, and
// partials without keys change nothing.

#pragma once

#include "property/property.hpp"

namespace helixcheck {

bool merge_applies(const Scenario& scenario, const Subject& subject);

// Partials in reverse order. Where at most two hold keys, the built-in merge keeps its bits.
PropertyResult check_merge_permutation(const Scenario& scenario, const Subject& subject,
                                       const RunOptions& options);

// The first two merged, by the subject, before the others join. At least three partials.
bool merge_association_applies(const Scenario& scenario, const Subject& subject);
PropertyResult check_merge_association(const Scenario& scenario, const Subject& subject,
                                       const RunOptions& options);

// All LSEs larger by the same amount.
PropertyResult check_merge_shift(const Scenario& scenario, const Subject& subject,
                                 const RunOptions& options);

// (max, sum) pairs with another share of the LSE in each half.
bool merge_gauge_applies(const Scenario& scenario, const Subject& subject);
PropertyResult check_merge_gauge(const Scenario& scenario, const Subject& subject,
                                 const RunOptions& options);

// Empty partials, full of NaN, before and after the given ones.
PropertyResult check_merge_empty(const Scenario& scenario, const Subject& subject,
                                 const RunOptions& options);

}  // namespace helixcheck
