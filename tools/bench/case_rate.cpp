// How many small cases a second one core takes from scenario to verdict, and where the time goes;
// on a GPU, how many all threads together.

#include <benchmark/benchmark.h>
#include <vector>

#include "generate/choices.hpp"
#include "mla/parallel.hpp"
#include "run/run.hpp"
#include "scenario/error.hpp"
#include "subject/subject.hpp"

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

// The dimensions that real kernels accept: latent 512, rope 64, pages of 64 tokens, 16 heads, bf16.
Scenario draw_real(std::uint64_t index, Entry entry) {
  Scenario s = draw_usual(index, entry);
  s.problem.num_heads = 16;
  s.layout.kvp = index % 2 == 0 ? 2 : 4;
  s.problem.kv_lora_rank = 512;
  s.problem.qk_rope_head_dim = 64;
  s.layout.kv_cache_tokens_per_block = 64;
  return s;
}

using Draw = Scenario (*)(std::uint64_t, Entry);

void case_rate(benchmark::State& state, const char* name, Draw draw, Entry entry) {
  const ThreadLimit one(1);
  std::vector<Scenario> scenarios;
  for (std::size_t i = 0; i < kCases; ++i) scenarios.push_back(draw(i, entry));
  std::unique_ptr<Subject> found;
  try {
    found = find_subject(name);
  } catch (const ResourceError& error) {
    return state.SkipWithError(error.what());
  }
  const Subject& subject = *found;
  Phases sum;
  auto next = static_cast<std::size_t>(state.thread_index()) * 37;
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
  const auto average = [&](double seconds) {
    return benchmark::Counter(seconds / cases * 1e6, benchmark::Counter::kAvgThreads);
  };
  state.counters["inputs_us"] = average(sum.inputs);
  state.counters["subject_us"] = average(sum.subject);
  state.counters["judge_us"] = average(sum.judge);
}

BENCHMARK_CAPTURE(case_rate, core, "cpu", draw_usual, Entry::core)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(case_rate, layer, "cpu", draw_usual, Entry::layer)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(case_rate, cuda_core, "cuda", draw_usual, Entry::core)
    ->Unit(benchmark::kMicrosecond)
    ->ThreadRange(1, 16)
    ->UseRealTime();
BENCHMARK_CAPTURE(case_rate, cuda_core_real, "cuda", draw_real, Entry::core)
    ->Unit(benchmark::kMicrosecond)
    ->ThreadRange(1, 16)
    ->UseRealTime();

}  // namespace
}  // namespace helixcheck

BENCHMARK_MAIN();
