// Whatever a scenario does to the process that runs it is an observation. Real workers.

#include "fuzz/evaluator.hpp"

#include <gtest/gtest.h>

#include "real_worker.hpp"
#include "scenario/error.hpp"
#include "support/command.hpp"

namespace helixcheck {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

class Evaluators : public testing::Test {
 protected:
  Evaluator evaluator(WorkerSetup setup = real_worker()) const {
    return Evaluator(std::move(setup), folder_.path() / "journal", nullptr);
  }
  TemporaryFolder folder_;
  const Property& equivalence_ = find_property("equivalence");
};

TEST_F(Evaluators, PassesArePasses) {
  Evaluator evaluator = this->evaluator(real_worker("cpu"));
  for (const bool rare : {true, false}) {
    for (const bool repeat : {true, false}) {
      EXPECT_FALSE(evaluator.run(scenario(rare), equivalence_, repeat).has_value());
    }
  }
  EXPECT_FALSE(evaluator.run_afresh({scenario(true)}, find_property("page_order")).has_value());
}

struct Mode {
  const char* name;
  const char* kind;
  const char* stage;
  const char* sentence;  // of the blame, its beginning
};

class Modes : public Evaluators, public testing::WithParamInterface<Mode> {};

TEST_P(Modes, AreObserved) {
  const Mode mode = GetParam();
  const Misbehave misbehave(mode.name);
  WorkerSetup setup = real_worker();
  setup.case_seconds = 2;
  Evaluator evaluator = this->evaluator(setup);
  evaluator.look_for(mode.kind);
  EXPECT_FALSE(evaluator.run(scenario(false), equivalence_, false).has_value()) << "no reason to";
  for (int i = 0; i < 2; ++i) {
    const auto seen = evaluator.run(scenario(true), equivalence_, true);
    ASSERT_TRUE(seen.has_value());
    EXPECT_EQ(to_text(seen->signature),
              std::string("equivalence/cpu+misbehaving/") + mode.kind + "/" + mode.stage);
    EXPECT_EQ(seen->failure.kind, mode.kind);
    EXPECT_EQ(seen->failure.blame.sentence.rfind(mode.sentence, 0), 0u)
        << seen->failure.blame.sentence;
  }
  EXPECT_FALSE(evaluator.run(scenario(false), equivalence_, false).has_value())
      << "the next one runs in another process";
}

std::vector<Mode> modes() {
  std::vector<Mode> all = {
      {"exit0", "exit", "attend", "the worker ended its process with status 0 in stage attend"},
      {"exit7", "exit", "attend", "the worker ended its process with status 7 in stage attend"},
      {"abort", "crash", "attend", "the worker was ended by SIGABRT in stage attend of step 1"},
      {"kill_self", "crash", "attend", "the worker was ended by SIGKILL in stage attend of step 1"},
      {"spin", "hang", "attend", "the worker did not end within "},
      {"stubborn", "hang", "attend", "the worker did not end within "},
      {"sleep", "hang", "exchange", "the worker did not end within "},
      {"throw", "error", "attend", "step 1: stage attend threw an exception"},
      {"wrong", "value", "attend", "step 1: attend wrote"},
  };
  if (kSanitized) return all;  // these are a sanitizer's
  all.push_back({"segfault", "crash", "attend", "the worker was ended by SIGSEGV in stage attend"});
  all.push_back({"fpe", "crash", "attend", "the worker was ended by SIGFPE in stage attend"});
  all.push_back({"stack", "crash", "attend", "the worker was ended by SIGSEGV in stage attend"});
  all.push_back({"heap", "crash", "attend", "the worker was ended by SIGABRT in stage attend"});
  return all;
}

INSTANTIATE_TEST_SUITE_P(All, Modes, testing::ValuesIn(modes()),
                         [](const auto& mode) { return std::string(mode.param.name); });

TEST_F(Evaluators, TooMuchMemoryIsObserved) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer's memory is counted as well";
  const Misbehave misbehave("oom");
  WorkerSetup setup = real_worker();
  setup.memory_bytes = std::uint64_t{400} << 20;
  Evaluator evaluator = this->evaluator(setup);
  EXPECT_FALSE(evaluator.run(scenario(false), equivalence_, false).has_value());
  const auto seen = evaluator.run(scenario(true), equivalence_, false);
  ASSERT_TRUE(seen.has_value());
  EXPECT_EQ(to_text(seen->signature), "equivalence/cpu+misbehaving/out_of_memory/attend");
}

TEST_F(Evaluators, LeaksAreSeenByWhoLooksForThem) {
  if (kSanitized) GTEST_SKIP() << "the heap is not the C library's";
  const Misbehave misbehave("leak");
  Evaluator evaluator = this->evaluator();
  EXPECT_FALSE(evaluator.run(scenario(true), equivalence_, false).has_value());
  evaluator.look_for("leak");
  const auto seen = evaluator.run(scenario(true), equivalence_, false);
  ASSERT_TRUE(seen.has_value());
  EXPECT_EQ(to_text(seen->signature), "equivalence/cpu+misbehaving/leak/-");
  EXPECT_EQ(seen->failure.blame.sentence.rfind("each repetition leaves ", 0), 0u);
  Evaluator tight = this->evaluator(real_worker("cpu"));
  tight.look_for("leak");
  EXPECT_FALSE(tight.run(scenario(true), equivalence_, false).has_value());
}

// Instances are kept from case to case; what each leaves behind must still be seen.
TEST_F(Evaluators, LeaksOfInstancesAreSeen) {
  if (kSanitized) GTEST_SKIP() << "the heap is not the C library's";
  const Misbehave misbehave("leak_create");
  Evaluator evaluator = this->evaluator();
  evaluator.look_for("leak");
  const auto seen = evaluator.run(scenario(true), equivalence_, false);
  ASSERT_TRUE(seen.has_value());
  EXPECT_EQ(to_text(seen->signature), "equivalence/cpu+misbehaving/leak/-");
}

// Only what runs before it in the same process makes it fail.
TEST_F(Evaluators, RunsAfreshHaveThePredecessorsThatAreGiven) {
  const Misbehave misbehave("wrong_after");
  Scenario interleaved = scenario(false);
  interleaved.layout.ownership = Ownership::interleaved;
  Evaluator evaluator = this->evaluator();
  EXPECT_FALSE(evaluator.run_afresh({scenario(true)}, equivalence_).has_value());
  EXPECT_TRUE(evaluator.run_afresh({interleaved, scenario(true)}, equivalence_).has_value());
  EXPECT_TRUE(evaluator.run(scenario(true), equivalence_, false).has_value())
      << "the same process goes on";
  EXPECT_FALSE(evaluator.run_afresh({scenario(true)}, equivalence_).has_value());
  EXPECT_FALSE(evaluator.run_afresh({interleaved, scenario(true), interleaved}, equivalence_))
      << "the last one counts";
}

TEST_F(Evaluators, OutputIsThatOfWhatIsLookedFor) {
  const Misbehave misbehave("abort");
  Evaluator evaluator = this->evaluator();
  evaluator.look_for("crash");
  ASSERT_TRUE(evaluator.run(scenario(true), equivalence_, false).has_value());
  if (!kSanitized) {
    EXPECT_NE(evaluator.output(), "") << "the stack";
  }
  evaluator.look_for("value");
  EXPECT_EQ(evaluator.output(), "") << "not of the one before";
}

TEST_F(Evaluators, WithoutAWorkerNobodyCanSay) {
  WorkerSetup setup = real_worker();
  setup.arguments = {"/bin/false"};
  EXPECT_THROW(evaluator(setup).run(scenario(true), equivalence_, false), ResourceError);
  EXPECT_THROW(evaluator(real_worker("no such subject")).run(scenario(true), equivalence_, false),
               ResourceError);
}

// What is interrupted is not the answer to the next question.
TEST_F(Evaluators, GoOnAfterAnInterrupt) {
  bool interrupted = false;
  Evaluator evaluator(real_worker(), folder_.path() / "journal", [&] { return interrupted; });
  {
    const Misbehave misbehave("sleep");  // no answer can come first
    EXPECT_FALSE(evaluator.run(scenario(false), equivalence_, false).has_value());
    interrupted = true;
    EXPECT_THROW(evaluator.run(scenario(true), equivalence_, false), ResourceError);
  }
  interrupted = false;
  const Misbehave misbehave("wrong");
  EXPECT_FALSE(evaluator.run(scenario(false), equivalence_, false).has_value());
  EXPECT_TRUE(evaluator.run(scenario(true), equivalence_, false).has_value());
}

}  // namespace
}  // namespace helixcheck
