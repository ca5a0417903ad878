// The one file that includes RapidCheck.
//
// RapidCheck walks a lazy tree of simpler values; the tree here has one branch at most, the result
// of the scenario shrinker, so that campaigns and these tests end in the same minimal scenario.

#include "rapidcheck.hpp"

#include <cstdlib>
#include <fmt/format.h>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <rapidcheck.h>
#include <utility>

#include "generate/scenario_draw.hpp"
#include "property/property.hpp"
#include "scenario/print.hpp"
#include "scenario/validate.hpp"
#include "shrink/shrinker.hpp"
#include "subject/cpu/subject.hpp"

namespace helixcheck {

// Found by RapidCheck when it tells a counterexample.
void showValue(const Scenario& scenario, std::ostream& out) {
  out << fmt::format("{}", fmt::join(print_arguments(scenario), " "));
}

namespace {

constexpr int kDraws = 1000;  // until one that the property applies to
constexpr int kAnySize = 100;

// RapidCheck's random source as a choice source.
class RandomChoices : public Choices {
 public:
  explicit RandomChoices(const rc::Random& random) : random_(random) {}
  std::uint64_t below(std::uint64_t limit) override { return random_.next() % limit; }

 private:
  rc::Random random_;
};

// FNV-1a.
std::uint64_t seed_of(std::string_view name, std::string_view label) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const std::string_view text : {name, std::string_view("/"), label}) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  }
  return hash;
}

// RapidCheck's own listener prints how to reproduce failures that a test expects.
class Silent : public rc::detail::TestListener {
 public:
  void onTestCaseFinished(const rc::detail::CaseDescription&) override {}
  void onShrinkTried(const rc::detail::CaseDescription&, bool) override {}
  void onTestFinished(const rc::detail::TestMetadata&, const rc::detail::TestResult&) override {}
};

struct Known {
  const Property& property;
  const Subject& subject;
  const Domain& domain;
};

// The last scenario that failed: the smallest, since the tree has one branch.
struct Last {
  std::optional<Scenario> scenario;
  std::optional<Failure> failure;
};

Signature signature_of(const Known& known, const Failure& failure) {
  Signature signature{std::string(known.property.name), known.subject.name(), failure.kind, ""};
  if (failure.blame.stage) signature.stage = name_of(*failure.blame.stage);
  return signature;
}

bool suits(const Known& known, const Scenario& scenario) {
  return !find_error(scenario) && known.property.applies(scenario, known.subject);
}

// The signature of the failure of a scenario that need not be one the property applies to.
std::optional<Signature> failing_with(const Known& known, const Scenario& scenario) {
  if (!suits(known, scenario)) return std::nullopt;
  RunOptions once;
  once.repeat_failures = false;
  const PropertyResult result = known.property.check(scenario, known.subject, once);
  if (!result.failure) return std::nullopt;
  return signature_of(known, *result.failure);
}

// Sizes do not ramp up: every case is drawn like every other, and `size` is not looked at.
rc::Gen<Scenario> scenarios(const Known& known, const std::shared_ptr<Last>& last) {
  return [known, last](const rc::Random& random, int) {
    RandomChoices choices(random);
    Scenario scenario;
    for (int i = 0; i < kDraws; ++i) {
      scenario = draw_scenario(choices);
      if (known.domain.adapt != nullptr) known.domain.adapt(scenario);
      if (suits(known, scenario)) break;
    }
    return rc::shrinkable::shrinkRecur(std::move(scenario), [known, last](const Scenario& failed) {
      if (!last->failure) return rc::Seq<Scenario>();
      const ShrinkResult shrunk =
          shrink(failed, signature_of(known, *last->failure),
                 [known](const Scenario& other) { return failing_with(known, other); });
      if (shrunk.scenario == failed) return rc::Seq<Scenario>();
      return rc::seq::just(shrunk.scenario);
    });
  };
}

std::string report_of(const Known& known, const Last& last) {
  return fmt::format("{} by {}\n{}\nscenario: {}\n{}", to_text(signature_of(known, *last.failure)),
                     known.subject.name(), last.failure->blame.sentence,
                     fmt::join(print_arguments(*last.scenario), " "), print_cpp(*last.scenario));
}

}  // namespace

PropertyRun run_property(std::string_view name, const Subject& subject, const Domain& domain,
                         int cases) {
  const Known known{find_property(name), subject, domain};
  const auto last = std::make_shared<Last>();
  PropertyRun run;
  const auto holds = [&] {
    const Scenario scenario = *scenarios(known, last);
    if (!suits(known, scenario)) RC_DISCARD("the property does not apply");
    ++run.cases;
    const PropertyResult result = known.property.check(scenario, known.subject, {});
    if (!result.failure) return;
    last->scenario = scenario;
    last->failure = result.failure;
    RC_FAIL(result.failure->blame.sentence);
  };
  rc::detail::TestMetadata metadata;
  metadata.id = metadata.description = name;
  rc::detail::TestParams params;
  params.seed = seed_of(name, domain.label);
  params.maxSuccess = cases;
  params.maxSize = kAnySize;
  Silent listener;
  const rc::detail::TestResult result =
      rc::detail::checkProperty(rc::detail::toProperty(holds), metadata, params, listener, {});
  run.passed = result.is<rc::detail::SuccessResult>();
  if (run.passed) return run;
  if (last->failure) {
    run.report = report_of(known, *last);
  } else {
    std::ostringstream text;
    rc::detail::printResultMessage(result, text);
    run.report = text.str();
  }
  return run;
}

void check_property(std::string_view name, const Domain& domain, int cases) {
  if (const char* text = std::getenv("HELIXCHECK_PROPERTY_CASES")) cases = std::atoi(text);
  const Subject plain(cpu::subject()), rounded(cpu::subject_p16());
  for (const Subject* subject : {&plain, &rounded}) {
    const PropertyRun run = run_property(name, *subject, domain, cases / 2);
    EXPECT_TRUE(run.passed) << run.report;
  }
}

}  // namespace helixcheck
