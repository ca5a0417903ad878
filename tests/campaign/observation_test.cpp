// What a scenario shows in this thread, and when nobody can say.

#include "campaign/observation.hpp"

#include <gtest/gtest.h>

#include "scenario/error.hpp"
#include "subject/cpu/subject.hpp"
#include "support/faulty_subject.hpp"

namespace helixcheck {
namespace {

bool always(const Scenario&, const Subject&) {
  return true;
}
bool never(const Scenario&, const Subject&) {
  return false;
}
template <typename Error>
PropertyResult throws(const Scenario&, const Subject&, const RunOptions&) {
  throw Error("no");
}
PropertyResult out_of_memory(const Scenario&, const Subject&, const RunOptions&) {
  throw std::bad_alloc();
}
PropertyResult breaks(const Scenario&, const Subject&, const RunOptions& options) {
  PropertyResult result;
  result.failure = Failure{options.repeat_failures ? "nondeterminism" : "relation", {}};
  return result;
}
template <std::int64_t runs, bool tap>
PropertyResult passes(const Scenario&, const Subject&, const RunOptions&) {
  PropertyResult result;
  result.subject_runs = runs;
  result.taps.resize(tap ? 1 : 0);
  return result;
}

using Check = PropertyResult (*)(const Scenario&, const Subject&, const RunOptions&);

class Observations : public testing::Test {
 protected:
  static Property property(Check check, bool applies = true) {
    return {"mine", "", 1, applies ? always : never, check};
  }
  bool is_judged(Check check, bool applies = true) const {
    return judged(scenario_, property(check, applies), subject_, options_).has_value();
  }
  const Subject subject_{cpu::subject()};
  const RunOptions options_;
  const Scenario scenario_;
};

TEST_F(Observations, NobodyCanSayWhereNothingWasCompared) {
  EXPECT_TRUE((is_judged(passes<2, true>)));
  EXPECT_TRUE((is_judged(passes<0, false>))) << "a property that needs no run";
  EXPECT_FALSE((is_judged(passes<2, false>))) << "nothing could be compared";
  EXPECT_FALSE((is_judged(passes<2, true>, false))) << "it says nothing about it";
  EXPECT_FALSE(is_judged(breaks, false));
  EXPECT_TRUE(is_judged(breaks));
  EXPECT_FALSE(is_judged(throws<InputError>));
  EXPECT_FALSE(is_judged(throws<ResourceError>));
  EXPECT_FALSE(is_judged(out_of_memory));
  EXPECT_THROW(is_judged(throws<std::logic_error>), std::logic_error) << "that is a fault of ours";
}

TEST_F(Observations, OfAFailureHaveItsSignature) {
  const RunCase run_case = run_case_here(subject_, options_);
  const Property mine = property(breaks);
  auto seen = run_case(scenario_, mine, false);
  ASSERT_TRUE(seen.has_value());
  EXPECT_EQ(seen->signature, (Signature{"mine", "cpu", "relation", ""}));
  EXPECT_EQ(seen->failure.kind, "relation");
  seen = run_case(scenario_, mine, true);
  ASSERT_TRUE(seen.has_value());
  EXPECT_EQ(seen->signature.kind, "nondeterminism") << "it was asked to repeat it";
  EXPECT_FALSE(run_case(scenario_, property(passes<1, true>), true).has_value());
}

TEST_F(Observations, NameTheStageThatIsToBlame) {
  const Subject faulty(cpu::subject(), &faulty_subject(Fault::lost_statistics));
  Scenario scenario;
  scenario.problem.entry = Entry::core;
  scenario.problem.num_heads = 4;
  scenario.problem.kv_lora_rank = 16;
  scenario.problem.qk_rope_head_dim = 4;
  scenario.problem.ctx_len = {9};
  const auto seen = run_case_here(faulty, options_)(scenario, find_property("equivalence"), false);
  ASSERT_TRUE(seen.has_value());
  EXPECT_EQ(to_text(seen->signature), "equivalence/cpu+lost_statistics/value/exchange");
  EXPECT_FALSE(seen->failure.blame.sentence.empty());
}

}  // namespace
}  // namespace helixcheck
