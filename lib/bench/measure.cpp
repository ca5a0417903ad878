#include "bench/measure.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "bench/bench_step.hpp"
#include "bench/verify.hpp"
#include "generate/case.hpp"
#include "run/stopwatch.hpp"

namespace helixcheck::bench {
namespace {

constexpr std::int64_t kFewestSamples = 3;

// The largest of each sample over all ranks, on the root.
std::vector<double> slowest(World& world, const std::vector<double>& mine) {
  const std::vector<Bytes> local(static_cast<std::size_t>(world.local_ranks()),
                                 std::as_bytes(std::span(mine)));
  std::vector<double> worst = mine;
  for (const Bytes& bytes : world.gather_to_root(local)) {
    std::vector<double> other(bytes.size() / sizeof(double));
    std::memcpy(other.data(), bytes.data(), bytes.size());
    for (std::size_t i = 0; i < std::min(worst.size(), other.size()); ++i) {
      worst[i] = std::max(worst[i], other[i]);
    }
  }
  return worst;
}

Summary time_of(Sequence* sequence, World& world, Memory& memory, Timing& timing,
                const MeasureOptions& options) {
  if (sequence == nullptr) return {};
  // The root decides for all ranks, before each run: they take the same number of samples, and
  // start each together.
  const Stopwatch warm_up;
  do {
    sequence->run();
    memory.synchronize();
  } while (world.agree(warm_up.seconds() < options.warm_up_s));
  std::vector<double> samples;
  const Stopwatch watch;
  const auto enough = [&] {
    const std::int64_t taken = std::ssize(samples);
    return taken >= kFewestSamples &&
           (taken >= options.samples || watch.seconds() >= options.seconds);
  };
  while (world.agree(!enough())) {
    if (!options.warm_cache) timing.flush_cache();
    timing.start();
    sequence->run();
    timing.stop();
    samples.push_back(timing.elapsed_us());
  }
  return summarize(slowest(world, samples));
}

}  // namespace

Row measure(const Scenario& scenario, const Shape& shape, World& world, const Subject& subject,
            Memory& memory, Timing& timing, const MeasureOptions& options) {
  world.enter_harness("bench", 0);
  const std::unique_ptr<Inputs> inputs = make_case(scenario);
  BenchStep step(*inputs, world, subject, memory);
  Row row;
  row.shape = shape;
  row.plan_us = step.plan_us();
  std::int64_t local_keys = 0;
  for (const auto& rank : step.ranks()) {
    row.keys = std::max(row.keys, rank->keys());
    local_keys += rank->keys();
  }
  row.work = attend_work(scenario, local_keys, world.local_ranks());
  row.exchange_bytes = exchange_bytes(scenario);
  const std::unique_ptr<Sequence> whole = step.whole(options.record);
  row.recorded = whole->recorded();
  const Check check = check_step(step, *whole);
  row.values = check.values;
  row.wrong = check.wrong;
  row.first_wrong = check.first;
  if (!world.agree(row.wrong == 0)) return row;
  row.whole = time_of(whole.get(), world, memory, timing, options);
  const auto stage = [&](hxc_stage which) {
    return time_of(step.stage(which, options.record).get(), world, memory, timing, options);
  };
  row.attend = stage(HXC_ATTEND);
  row.exchange = stage(HXC_EXCHANGE);
  row.combine = stage(HXC_COMBINE);
  return row;
}

}  // namespace helixcheck::bench
