// Inputs, pipeline and judge put together.

#include "campaign/run.hpp"

#include <fmt/format.h>

#include <chrono>

#include "campaign/memory.hpp"
#include "generate/case.hpp"
#include "helix/pipeline.hpp"
#include "mla/formats.hpp"
#include "scenario/error.hpp"
#include "scenario/validate.hpp"
#include "verdict/judge.hpp"

namespace helixcheck {
namespace {

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Hands everything on to the judge, keeps the time that takes and the hash of the results.
class Recorder : public Observer {
 public:
  Recorder(Judge& judge, Observer* listener, Entry entry)
      : judge_(judge), listener_(listener), result_(entry == Entry::layer ? Tap::output
                                                                           : Tap::combined) {}

  void on_prompt(const PromptTaps& taps) override {
    forward([&](Observer& to) { to.on_prompt(taps); });
  }
  void on_event(const Step& step, const History& after) override {
    forward([&](Observer& to) { to.on_event(step, after); });
  }
  void on_step(const StepTaps& taps) override {
    for (const RankTaps& rank : taps.ranks) add_bits(rank[static_cast<std::size_t>(result_)]);
    forward([&](Observer& to) { to.on_step(taps); });
  }

  double seconds() const { return seconds_; }
  std::uint64_t hash() const { return hash_; }

 private:
  template <typename Call>
  void forward(Call call) {
    if (listener_ != nullptr) call(*listener_);
    const Stopwatch watch;
    call(judge_);
    seconds_ += watch.seconds();
  }

  void add_bits(const TapView& view) {
    if (!view.present) return;
    const auto bytes = static_cast<std::size_t>(view.elements()) * size_of(view.dtype);
    for (std::size_t i = 0; i < bytes; ++i) {
      hash_ = (hash_ ^ static_cast<std::uint8_t>(view.data[i])) * 0x100000001b3u;
    }
  }

  Judge& judge_;
  Observer* listener_;
  Tap result_;
  double seconds_ = 0;
  std::uint64_t hash_ = 0xcbf29ce484222325u;
};

StageContracts contracts_for(const Subject& subject, const RunOptions& options) {
  StageContracts table{};
  for (int stage = 0; stage < HXC_STAGE_COUNT; ++stage) {
    const std::string declared = subject.contract_of(static_cast<hxc_stage>(stage));
    table[static_cast<std::size_t>(stage)] = &find_contract(options.contract.value_or(declared));
  }
  return table;
}

// A rule that no tolerance covers was broken outside of any tap.
void record_fault(RunResult& result, const SubjectError& error) {
  result.verdict.pass = false;
  if (!result.verdict.blame) result.verdict.blame.emplace();
  result.verdict.blame->sentence = error.what();
}

RunResult run_once(const Scenario& scenario, World& world, const Subject& subject,
                   const RunOptions& options) {
  RunResult result;
  result.scenario = scenario;
  result.subject = subject.name();
  const StageContracts contracts = contracts_for(subject, options);
  const Stopwatch drawing;
  const std::unique_ptr<Inputs> inputs = make_case(scenario);
  result.phases.inputs = drawing.seconds();
  Judge judge(*inputs, contracts);
  Recorder recorder(judge, options.listener, scenario.problem.entry);
  const Stopwatch running;
  try {
    Pipeline pipeline(*inputs, world, subject);
    pipeline.run(recorder);
    result.phases.subject = running.seconds() - recorder.seconds();
    const Stopwatch judging;
    if (world.is_root()) result.verdict = judge.verdict();
    result.phases.judge = recorder.seconds() + judging.seconds();
  } catch (const SubjectError& error) {
    // Other processes may be waiting in a collective: they cannot go on, and the caller must know.
    if (world.local_ranks() < world.size()) throw;
    result.verdict = judge.verdict();
    record_fault(result, error);
  }
  result.output_hash = recorder.hash();
  return result;
}

}  // namespace

void require_memory(const Scenario& scenario) {
  const std::int64_t need = memory_need_bytes(scenario);
  const std::int64_t have = available_memory_bytes();
  if (need <= have) return;
  constexpr double kGiB = 1024.0 * 1024 * 1024;
  throw InputError(fmt::format("scenario {} needs about {:.1f} GiB of memory, but {:.1f} GiB are free",
                               scenario.name, static_cast<double>(need) / kGiB,
                               static_cast<double>(have) / kGiB));
}

RunResult run_scenario(const Scenario& scenario, World& world, const Subject& subject,
                       const RunOptions& options) {
  RunResult result = run_once(scenario, world, subject, options);
  if (world.agree(result.verdict.pass)) return result;
  RunOptions quiet = options;
  quiet.listener = nullptr;
  const RunResult again = run_once(scenario, world, subject, quiet);
  result.repeated = true;
  result.same_again = !again.verdict.pass && again.output_hash == result.output_hash;
  return result;
}

}  // namespace helixcheck
