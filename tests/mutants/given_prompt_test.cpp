#include "mutants/given_prompt.hpp"

#include <gtest/gtest.h>

#include "generate/case.hpp"
#include "run/run.hpp"
#include "subject/subject.hpp"

namespace helixcheck {
namespace {

// A run on prompts that were recorded shows the bits of the run that recorded them, whatever the
// ranks.
TEST(GivenPrompt, IsWhatTheSubjectComputes) {
  Scenario scenario;
  Problem& p = scenario.problem;
  p.hidden_size = 16;
  p.num_heads = 2;
  p.kv_lora_rank = 8;
  p.qk_nope_head_dim = p.v_head_dim = p.qk_rope_head_dim = 4;
  p.ctx_len = {5, 0, 700};
  const std::unique_ptr<Subject> subject = find_subject("cpu");
  const std::unique_ptr<Inputs> computed = make_case(scenario);
  LatentRows rows;
  RunOptions recording;
  recording.listener = &rows;
  const auto run = [&](const Scenario& of, const RunOptions& options) {
    const std::unique_ptr<World> world = make_sim_world(of);
    return run_scenario(of, *world, *subject, options);
  };
  const RunResult recorded = run(scenario, recording);
  EXPECT_TRUE(recorded.verdict.pass);
  for (const std::int64_t kvp : {2, 1}) {
    Scenario other = scenario;
    other.layout.kvp = kvp;
    const GivenPrompt given(*computed, rows, other.layout);
    RunOptions options;
    options.inputs = &given;
    const RunResult repeated = run(given.scenario(), options);
    EXPECT_TRUE(repeated.verdict.pass);
    EXPECT_EQ(repeated.output_hash, run(other, {}).output_hash);
  }
}

}  // namespace
}  // namespace helixcheck
