#include "campaign/observation.hpp"

#include <new>

#include "mla/parallel.hpp"
#include "scenario/error.hpp"

namespace helixcheck {

std::optional<PropertyResult> judged(const Scenario& scenario, const Property& property,
                                     const Subject& subject, const RunOptions& options) {
  const ThreadLimit one(1);
  if (!property.applies(scenario, subject)) return std::nullopt;
  try {
    PropertyResult result = property.check(scenario, subject, options);
    const bool vacuous = !result.failure && result.subject_runs > 0 && result.taps.empty();
    if (!vacuous) return result;
  } catch (const InputError&) {
  } catch (const ResourceError&) {
  } catch (const std::bad_alloc&) {
  }
  return std::nullopt;
}

RunCase run_case_here(const Subject& subject, const RunOptions& options) {
  return [&subject, &options](const Scenario& scenario, const Property& property,
                              bool repeat) -> std::optional<Observation> {
    RunOptions run = options;
    run.repeat_failures = repeat;
    std::optional<PropertyResult> result = judged(scenario, property, subject, run);
    if (!result || !result->failure) return std::nullopt;
    const std::optional<Signature> signature = signature_of(property, subject, *result);
    return Observation{*std::move(result->failure), *signature};
  };
}

std::optional<Signature> signature_of(const Property& property, const Subject& subject,
                                      const PropertyResult& result) {
  if (!result.failure) return std::nullopt;
  const Blame& blame = result.failure->blame;
  return Signature{std::string(property.name), subject.name(), result.failure->kind,
                   blame.stage ? std::string(name_of(*blame.stage)) : ""};
}

}  // namespace helixcheck
