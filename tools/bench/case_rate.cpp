// How many small cases a second one core takes from scenario to verdict, and where the time goes.

#include <benchmark/benchmark.h>
#include <vector>

#include "generate/choices.hpp"
#include "mla/parallel.hpp"
#include "run/run.hpp"
#include "subject/cpu/subject.hpp"

namespace helixcheck {
namespace {

constexpr std::uint64_t kSeed = 5;
constexpr std::size_t kCases = 512;

// Batch 1 to 2, context log-uniform up to 256, up to 8 heads, latent 32, rope 16, 2 to 4 ranks,
// bf16.
Scenario draw_usual(std::uint64_t index, Entry entry) {
  CounterChoices draw(kSeed, index);
  Scenario s;
  Problem& p = s.problem;
  p.entry = entry;
  s.layout.kvp = draw.between(2, 4);
  p.num_heads = s.layout.kvp * draw.between(1, 8 / s.layout.kvp);
  p.hidden_size = 64;
  p.kv_lora_rank = 32;
  p.qk_nope_head_dim = 16;
  p.qk_rope_head_dim = 16;
  p.v_head_dim = 16;
  p.ctx_len.assign(static_cast<std::size_t>(draw.between(1, 2)), 0);
  for (std::int64_t& length : p.ctx_len) length = draw.log_between(1, 256);
  p.data.seed = index;
  return s;
}

void case_rate(benchmark::State& state, Entry entry) {
  const ThreadLimit one(1);
  std::vector<Scenario> scenarios;
  for (std::size_t i = 0; i < kCases; ++i) {
    scenarios.push_back(draw_usual(i, entry));
  }
  const Subject subject(cpu::subject());
  Phases sum;
  std::size_t next = 0;
  for (auto _ : state) {
    const Scenario& scenario = scenarios[next++ % kCases];
    const std::unique_ptr<World> world = make_sim_world(scenario);
    const RunResult result = run_scenario(scenario, *world, subject);
    if (!result.verdict.pass) state.SkipWithError("a case failed");
    sum.inputs += result.phases.inputs;
    sum.subject += result.phases.subject;
    sum.judge += result.phases.judge;
  }
  const auto cases = static_cast<double>(state.iterations());
  state.counters["cases/s"] = benchmark::Counter(cases, benchmark::Counter::kIsRate);
  state.counters["inputs_us"] = sum.inputs / cases * 1e6;
  state.counters["subject_us"] = sum.subject / cases * 1e6;
  state.counters["judge_us"] = sum.judge / cases * 1e6;
}

BENCHMARK_CAPTURE(case_rate, core, Entry::core)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(case_rate, layer, Entry::layer)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace helixcheck

BENCHMARK_MAIN();
