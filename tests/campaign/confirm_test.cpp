// Which failures are believed: those that repeat, alone or after the runs they need. The subjects
// keep state beyond an instance's life, as code with caches and workspaces of its own does.

#include "campaign/confirm.hpp"

#include <algorithm>
#include <gtest/gtest.h>

#include "campaign/check.hpp"
#include "mla/formats.hpp"
#include "scenario/json.hpp"
#include "subject/cpu/instance.hpp"
#include "subject/cpu/subject.hpp"
#include "subject/views.hpp"
#include "support/faulty_subject.hpp"

namespace helixcheck {
namespace {

struct State {
  std::int64_t calls = 0, largest = 0, previous = 0;
  bool stale = false;
};
State state;

void destroy(void* instance) {
  cpu::subject().destroy(instance);
}

// `forgets`: compared with the last instance only, otherwise with all before.
template <bool forgets>
int create(void** instance, const hxc_model* model, const hxc_rank* const* places,
           const hxc_weights* const* weights, const hxc_limits* limits, hxc_error* error) {
  const std::int64_t requests = std::max<std::int64_t>(limits->max_requests, 1);  // merge has none
  state.stale = requests < (forgets ? state.previous : state.largest);
  state.previous = requests;
  state.largest = std::max(state.largest, requests);
  return cpu::subject().create(instance, model, places, weights, limits, error);
}

// Adds `steps` to the code of the first merged value.
void disturb(const hxc_step& step, std::uint32_t steps) {
  if (step.rows == 0) return;
  const Dtype dtype = dtype_of(step.combined);
  std::byte* value = at(step.combined);
  store_code(dtype, value, 0, load_code(dtype, value, 0) ^ (steps << 4));
}

int combine_stale(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  const int status = cpu::combine(self, ranks, comm, error);
  if (state.stale) disturb(*ranks[0], 1);
  return status;
}

int combine_counting(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  const int status = cpu::combine(self, ranks, comm, error);
  disturb(*ranks[0], static_cast<std::uint32_t>(1 + ++state.calls % 7));
  return status;
}

// The state changes with the instance, and not within a run.
int create_alternating(void** instance, const hxc_model* model, const hxc_rank* const* places,
                       const hxc_weights* const* weights, const hxc_limits* limits,
                       hxc_error* error) {
  state.stale = ++state.calls % 2 == 1;
  return cpu::subject().create(instance, model, places, weights, limits, error);
}

constexpr hxc_entry kStale[] = {{HXC_COMBINE, HXC_COMBINE, combine_stale}};
constexpr hxc_entry kCounting[] = {{HXC_COMBINE, HXC_COMBINE, combine_counting}};
const hxc_subject kRemembers{HXC_ABI_VERSION, HXC_HOST,      "remembers", "cpu",  1,
                             kStale,          create<false>, nullptr,     destroy};
const hxc_subject kForgets{HXC_ABI_VERSION, HXC_HOST,     "forgets", "cpu",  1,
                           kStale,          create<true>, nullptr,   destroy};
const hxc_subject kCounts{HXC_ABI_VERSION, HXC_HOST,      "counts", "cpu",  1,
                          kCounting,       create<false>, nullptr,  destroy};
const hxc_subject kAlternates{HXC_ABI_VERSION, HXC_HOST,           "alternates", "cpu",  1,
                              kStale,          create_alternating, nullptr,      destroy};

// A process of its own, as far as these subjects can tell: they start with empty state.
FreshRun fresh_state(const Subject& subject) {
  return [&subject](const std::vector<Scenario>& scenarios,
                    const Property& property) -> std::optional<Signature> {
    const State kept = state;
    state = State();
    std::optional<Signature> last;
    RunOptions once;
    once.repeat_failures = false;
    for (const Scenario& scenario : scenarios) {
      last.reset();
      if (!property.applies(scenario, subject)) continue;
      last = signature_of(property, subject, property.check(scenario, subject, once));
    }
    state = kept;
    return last;
  };
}

class Confirm : public testing::Test {
 protected:
  Confirm() { state = State(); }

  // The first finding among a few cases.
  Finding find(const Subject& subject, const FreshRun& fresh,
               const std::string& property = "equivalence") {
    CheckOptions options;
    options.cases = 40;
    options.properties = {property};
    options.max_findings = 1;
    options.fresh = fresh;
    const CheckReport report = check(subject, options);
    EXPECT_EQ(report.findings.size(), 1u);
    return report.findings.empty() ? Finding{} : report.findings.front();
  }
};

// One larger batch is all that must run before.
void expect_stale(const Finding& finding) {
  EXPECT_EQ(finding.nondeterminism, "");
  EXPECT_EQ(finding.signature.kind, "value");
  EXPECT_EQ(finding.signature.stage, "combine");
  SCOPED_TRACE(print_scenario_file({finding.scenario, finding.before, {}}));
  ASSERT_EQ(finding.before.size(), 1u);
  EXPECT_EQ(finding.before[0].problem.batch(), 2);
  EXPECT_EQ(finding.scenario.problem.batch(), 1);
  EXPECT_EQ(finding.before[0].problem.kv_lora_rank, 1) << "shrunk as well";
  EXPECT_EQ(finding.scenario.problem.kv_lora_rank, 1);
  EXPECT_TRUE(finding.locally_minimal) << finding.stopped_by;
  EXPECT_GT(finding.shrink_evaluations, 0);
}

TEST_F(Confirm, KeepsWhatAFailureNeedsBeforeIt) {
  const Subject subject(cpu::subject(), &kRemembers);
  const Finding finding = find(subject, fresh_state(subject));
  expect_stale(finding);
  EXPECT_EQ(fresh_state(subject)({finding.scenario}, find_property("equivalence")), std::nullopt);
}

// The first repetition passes: this must not count as a verdict that changes at random.
TEST_F(Confirm, KeepsWhatIsNeededWhereARepetitionPasses) {
  const Subject subject(cpu::subject(), &kForgets);
  expect_stale(find(subject, fresh_state(subject)));
}

TEST_F(Confirm, KeepsWhatIsNeededWithoutAProcessOfItsOwn) {
  const Subject subject(cpu::subject(), &kForgets);
  expect_stale(find(subject, nullptr));
}

// Without a fresh process what never heals is a failure like any other.
TEST_F(Confirm, TakesAStateThatStaysForAFailureWithoutAFreshProcess) {
  const Subject subject(cpu::subject(), &kRemembers);
  const Finding finding = find(subject, nullptr);
  EXPECT_TRUE(finding.before.empty());
  EXPECT_EQ(finding.signature.kind, "value");
}

TEST_F(Confirm, KeepsWhatARelationNeedsBeforeIt) {
  const Subject subject(cpu::subject(), &kForgets);
  const Finding finding = find(subject, fresh_state(subject), "page_order");
  EXPECT_EQ(finding.nondeterminism, "");
  EXPECT_EQ(finding.signature.kind, "relation");
  ASSERT_EQ(finding.before.size(), 1u);
  EXPECT_GT(finding.before[0].problem.batch(), finding.scenario.problem.batch());
}

// Fails every time, each time with another value: shrunk like any failure, but of its own kind.
TEST_F(Confirm, ReportsResultsThatChangeAtEveryCall) {
  const Subject subject(cpu::subject(), &kCounts);
  for (const char* property : {"equivalence", "repetition"}) {
    for (const FreshRun& fresh : {FreshRun(), fresh_state(subject)}) {
      const Finding finding = find(subject, fresh, property);
      EXPECT_EQ(finding.signature.kind, "nondeterminism") << to_text(finding.signature);
      const std::string& text = finding.nondeterminism;
      const std::size_t once = text.find("once failed as "),
                        again = text.find("; again failed as ");
      ASSERT_TRUE(once == 0 && again != std::string::npos) << text;
      EXPECT_NE(text.substr(5, again - 5), text.substr(again + 8)) << "both results, which differ";
      EXPECT_NE(text.find(": ", again), std::string::npos) << "with their values";
      EXPECT_TRUE(finding.before.empty());
      EXPECT_EQ(finding.scenario.problem.kv_lora_rank, 1);
    }
  }
}

// Every second run is wrong: nothing that repeats.
TEST_F(Confirm, ReportsVerdictsThatChangeWithAllResults) {
  const Subject subject(cpu::subject(), &kAlternates);
  int runs = 0;
  const FreshRun fresh = [&runs](const std::vector<Scenario>&,
                                 const Property&) -> std::optional<Signature> {
    ++runs;
    return std::nullopt;
  };
  const Finding finding = find(subject, fresh);
  const std::string& text = finding.nondeterminism;
  EXPECT_EQ(finding.signature.kind, "nondeterminism");
  for (const char* part :
       {"first failed as equivalence/cpu+alternates/nondeterminism/combine: step 1: combine wrote",
        "; again here passed", "; again here failed as equivalence/cpu+alternates/value/combine: ",
        "; in a process of its own passed"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
  EXPECT_GT(runs, 1);
  EXPECT_TRUE(finding.before.empty());
  EXPECT_EQ(finding.shrink_evaluations, 0);
  EXPECT_FALSE(finding.locally_minimal);
}

TEST_F(Confirm, DoesNotBelieveWhatAFreshProcessNeverShows) {
  const Subject subject(cpu::subject(), &faulty_subject(Fault::dropped_key));
  const Finding finding =
      find(subject, [](const std::vector<Scenario>&, const Property&) { return std::nullopt; });
  EXPECT_EQ(finding.signature.kind, "nondeterminism");
  EXPECT_NE(finding.nondeterminism.find("again here failed as equivalence/cpu+dropped_key/value"),
            std::string::npos)
      << finding.nondeterminism;
  EXPECT_NE(finding.nondeterminism.find("in a process of its own passed"), std::string::npos);
}

}  // namespace
}  // namespace helixcheck
