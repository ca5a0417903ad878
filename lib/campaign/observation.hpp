// How a search learns what a scenario does, wherever it runs.

#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "property/property.hpp"
#include "shrink/signature.hpp"

namespace helixcheck {

struct Observation {
  Failure failure;
  Signature signature;
};

// The failure of a scenario under a property, in a process that may have run others before it; with
// `repeat`, a failure that does not repeat to the letter is one of kind "nondeterminism". nullopt:
// it passes, the property says nothing about it, or it cannot be judged. Throws ResourceError if
// nobody can say. Safe to call from as many threads as the search has workers.
using RunCase = std::function<std::optional<Observation>(const Scenario& scenario,
                                                         const Property& property, bool repeat)>;

// Runs scenarios one after the other in a process of their own and says how the last one fails
// under the property. Throws ResourceError if that process cannot be run, or cannot say.
using FreshRun =
    std::function<std::optional<Signature>(const std::vector<Scenario>&, const Property&)>;

// What the property shows of the scenario, in the calling thread. nullopt: it says nothing about
// it, the subject does not take it, nothing could be compared, or the machine lacks what it needs.
std::optional<PropertyResult> judged(const Scenario& scenario, const Property& property,
                                     const Subject& subject, const RunOptions& options);

// In the calling thread. Subject and options must outlive it.
RunCase run_case_here(const Subject& subject, const RunOptions& options);

// How a property's result reads as a signature; nothing if it passed.
std::optional<Signature> signature_of(const Property& property, const Subject& subject,
                                      const PropertyResult& result);

}  // namespace helixcheck
