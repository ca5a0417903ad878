// How many small cases a second one core takes from scenario to verdict, and where the time goes.

#include <benchmark/benchmark.h>
#include <vector>

#include "run/run.hpp"
#include "mla/parallel.hpp"
#include "subject/cpu/subject.hpp"
#include "support/small_scenarios.hpp"

namespace helixcheck {
namespace {

constexpr std::uint64_t kSeed = 5;
constexpr std::size_t kCases = 512;

void case_rate(benchmark::State& state, Entry entry) {
  const ThreadLimit one(1);
  std::vector<Scenario> scenarios;
  for (std::size_t i = 0; i < kCases; ++i) {
    scenarios.push_back(draw_benchmark_scenario(kSeed, i, entry));
  }
  const Subject subject(cpu::subject());
  Phases sum;
  std::size_t next = 0;
  for (auto _ : state) {
    const Scenario& scenario = scenarios[next++ % kCases];
    const std::unique_ptr<World> world = make_sim_world(static_cast<int>(scenario.layout.kvp), 1);
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
