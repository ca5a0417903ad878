// Every check can fail: at every tap, in every format, at a small and a large size, values replaced
// by zeros, with flipped signs or with a gain of 1.05 are rejected and blamed on that tap's stage;
// so are three small faults in the stages themselves.

#include <gtest/gtest.h>
#include <string>

#include "run/run.hpp"
#include "scenario/names.hpp"
#include "scenario/validate.hpp"
#include "subject/cpu/subject.hpp"
#include "support/faulty_subject.hpp"
#include "support/rejection_sweep.hpp"

namespace helixcheck {
namespace {

void reject_every_damage(const Scenario& scenario) {
  reject_every_damage(scenario, Subject(cpu::subject()));
}

TEST(Rejection, SmallLayer) {
  for (const Formats& formats : kFormats) reject_every_damage(layer(formats, false));
}

TEST(Rejection, LargeLayer) {
  for (const Formats& formats : kFormats) reject_every_damage(layer(formats, true));
}

TEST(Rejection, LargeCore) {
  reject_every_damage(core(kFormats[0], 32768));
}

struct FaultCase {
  Fault fault;
  Stage stage;
};
constexpr FaultCase kFaults[] = {
    {Fault::flipped_cache_bit, Stage::append}, {Fault::second_writer, Stage::append},
    {Fault::dropped_key, Stage::attend},       {Fault::late_write, Stage::attend},
    {Fault::log2_merge, Stage::combine},       {Fault::lost_statistics, Stage::exchange}};

void find_every_fault(const Scenario& scenario) {
  validate(scenario);
  for (const FaultCase& c : kFaults) {
    const Subject subject(cpu::subject(), &faulty_subject(c.fault));
    const std::unique_ptr<World> world = make_sim_world(2, 1);
    const RunResult result = run_scenario(scenario, *world, subject);
    ASSERT_FALSE(result.verdict.pass) << subject.name() << " on " << short_name(scenario);
    EXPECT_EQ(result.verdict.blame->stage, c.stage)
        << subject.name() << ": " << result.verdict.blame->sentence;
    EXPECT_TRUE(result.same_again);
  }
}

TEST(Faults, AreBlamedOnTheirStageAtContext64) {
  for (const Formats& formats : kFormats) {
    find_every_fault(core(formats, 64));
    find_every_fault(layer(formats, false));
  }
}

// Without a heavy key each key holds 1/32768 of the mass; with one, a lost key is half of it.
TEST(Faults, AreBlamedOnTheirStageAtContext32768WithAHeavyKey) {
  for (const Formats& formats : kFormats) {
    Scenario s = core(formats, 32768);
    s.problem.data.heavy = {HeavyKey{HeavyPlace::newest, 2, 1, 0.5}};
    find_every_fault(s);
  }
}

}  // namespace
}  // namespace helixcheck
