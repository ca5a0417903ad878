#include "campaign/observation.hpp"

#include "mla/parallel.hpp"
#include "scenario/error.hpp"

namespace helixcheck {

RunCase run_case_here(const Subject& subject, const RunOptions& options) {
  return [&subject, &options](const Scenario& scenario, const Property& property,
                              bool repeat) -> std::optional<Observation> {
    const ThreadLimit one(1);
    if (!property.applies(scenario, subject)) return std::nullopt;
    RunOptions run = options;
    run.repeat_failures = repeat;
    try {
      PropertyResult result = property.check(scenario, subject, run);
      const std::optional<Signature> signature = signature_of(property, subject, result);
      if (!signature) return std::nullopt;
      return Observation{*std::move(result.failure), *signature};
    } catch (const InputError&) {  // cannot be judged: no failure
    } catch (const ResourceError&) {
    }
    return std::nullopt;
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
