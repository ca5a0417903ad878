// Inputs, pipeline and judge put together.

#include "run/run.hpp"

#include <fmt/format.h>
#include <numeric>

#include "device/cuda.hpp"
#include "generate/case.hpp"
#include "helix/pipeline.hpp"
#include "mla/formats.hpp"
#include "run/memory.hpp"
#include "run/stopwatch.hpp"
#include "scenario/error.hpp"
#include "scenario/validate.hpp"
#include "verdict/judge.hpp"

namespace helixcheck {
namespace {

// The case's inputs, with the time that making values on demand takes.
class TimedInputs : public Inputs {
 public:
  explicit TimedInputs(const Inputs& inputs) : inputs_(inputs) {}
  const Scenario& scenario() const override { return inputs_.scenario(); }
  const RopeTable& rope() const override { return inputs_.rope(); }
  const Weights& weights() const override { return inputs_.weights(); }
  void hidden(Token first, std::int64_t count, std::byte* out) const override {
    const Adding time(seconds_);
    inputs_.hidden(first, count, out);
  }
  std::optional<DrawnHidden> drawn_hidden() const override { return inputs_.drawn_hidden(); }
  void latent(Token first, std::int64_t index, std::int64_t count, std::byte* out) const override {
    const Adding time(seconds_);
    inputs_.latent(first, index, count, out);
  }
  void query(const Row& row, std::byte* out) const override {
    const Adding time(seconds_);
    inputs_.query(row, out);
  }
  Partials partials() const override {
    const Adding time(seconds_);
    return inputs_.partials();
  }
  double seconds() const { return seconds_; }

 private:
  class Adding {
   public:
    explicit Adding(double& sum) : sum_(sum) {}
    ~Adding() { sum_ += watch_.seconds(); }

   private:
    double& sum_;
    const Stopwatch watch_;
  };
  const Inputs& inputs_;
  mutable double seconds_ = 0;  // the pipeline and the judge of a run share one thread
};

// Hands everything on to the judge, keeps the time that takes and the hash of the results.
class Recorder : public Observer {
 public:
  Recorder(Judge& judge, Observer* listener, const TimedInputs& inputs)
      : judge_(judge),
        listener_(listener),
        inputs_(inputs),
        result_(inputs.problem().entry == Entry::layer ? Tap::output : Tap::combined) {}

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
    const double before = inputs_.seconds();
    const Stopwatch watch;
    call(judge_);
    seconds_ += watch.seconds() - (inputs_.seconds() - before);
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
  const TimedInputs& inputs_;
  const Tap result_;
  double seconds_ = 0;
  std::uint64_t hash_ = 0xcbf29ce484222325u;
};

// A rule that no tolerance covers was broken outside of any tap.
void record_fault(RunResult& result, const SubjectError& error) {
  result.verdict.pass = false;
  if (result.verdict.blame) return;  // a tap had failed before
  Blame blame;
  if (const auto* at = dynamic_cast<const StageError*>(&error)) {
    blame.stage = static_cast<Stage>(at->stage);
  }
  blame.sentence = error.what();
  result.verdict.blame = blame;
}

std::string too_large(const Scenario& scenario, std::int64_t need, std::int64_t have,
                      const std::string& of) {
  constexpr double kGiB = 1024.0 * 1024 * 1024;
  return fmt::format("scenario {} needs about {:.1f} GiB of {}, but {:.1f} GiB are free",
                     scenario.name, static_cast<double>(need) / kGiB, of,
                     static_cast<double>(have) / kGiB);
}

// A device that runs the subject serves the judge as well, where there is enough to do.
Accelerator* accelerator_for(const Scenario& scenario, const Subject& subject, const World& world,
                             const RunOptions& options) {
  if (options.accelerator != nullptr || subject.memory().is_host()) return options.accelerator;
  if (!world.is_root() || subject.memory().lost()) return nullptr;
  const Problem& p = scenario.problem;
  const auto width = static_cast<double>(p.kv_lora_rank + p.qk_rope_head_dim);
  const auto tokens =
      static_cast<double>(std::accumulate(p.ctx_len.begin(), p.ctx_len.end(), std::int64_t{0}));
  const bool layer = p.entry == Entry::layer;
  const double products =
      width * static_cast<double>(8 * p.num_heads + (layer ? 2 * p.hidden_size : 0));
  return tokens * products < kAcceleratedFlops ? nullptr : &cuda::accelerator();
}

RunResult run_once(const Scenario& scenario, World& world, const Subject& subject,
                   const RunOptions& options) {
  RunResult result;
  result.scenario = scenario;
  result.subject = subject.name();
  const StageContracts contracts = contracts_of(subject, options);
  const Stopwatch whole;
  std::unique_ptr<Inputs> made;
  const bool given = options.inputs != nullptr && options.inputs->scenario() == scenario;
  if (!given) made = make_case(scenario);
  const double drawing = whole.seconds();
  const TimedInputs inputs(given ? *options.inputs : *made);
  Judge judge(inputs, contracts, accelerator_for(scenario, subject, world, options));
  Recorder recorder(judge, options.listener, inputs);
  try {
    Pipeline pipeline(inputs, world, subject);
    pipeline.run(recorder);
    const Stopwatch last;
    if (world.is_root()) result.verdict = judge.verdict();
    result.phases.inputs = drawing + inputs.seconds();
    result.phases.judge = recorder.seconds() + last.seconds();
    result.phases.subject = whole.seconds() - result.phases.inputs - result.phases.judge;
  } catch (const SubjectError& error) {
    // Other processes may be waiting in a collective: they cannot go on, and the caller must know.
    if (world.local_ranks() < world.size()) throw;
    result.verdict = judge.verdict();
    record_fault(result, error);
  } catch (const ResourceError& error) {
    // What had failed before has failed, whatever the machine lacks later.
    result.verdict = judge.verdict();
    if (result.verdict.pass || world.local_ranks() < world.size()) throw;
    result.verdict.notes.push_back(fmt::format("the run ended early: {}", error.what()));
  }
  result.output_hash = recorder.hash();
  return result;
}

}  // namespace

StageContracts contracts_of(const Subject& subject, const RunOptions& options) {
  StageContracts table{};
  for (int stage = 0; stage < HXC_STAGE_COUNT; ++stage) {
    const std::string declared = subject.contract_of(static_cast<hxc_stage>(stage));
    table[static_cast<std::size_t>(stage)] = &find_contract(options.contract.value_or(declared));
  }
  return table;
}

std::unique_ptr<World> make_sim_world(const Scenario& scenario) {
  if (scenario.problem.entry == Entry::merge) return make_sim_world(1, 1);
  return make_sim_world(static_cast<int>(scenario.layout.kvp),
                        static_cast<int>(scenario.layout.tpa));
}

void require_memory(const Scenario& scenario) {
  const std::int64_t need = memory_need_bytes(scenario);
  const std::int64_t have = available_memory_bytes();
  if (need > have) throw InputError(too_large(scenario, need, have, "memory"));
}

void require_device_memory(const Scenario& scenario, const Subject& subject, World& world) {
  if (subject.memory().is_host()) return;
  std::string refusal;
  const std::int64_t need = device_memory_need_bytes(scenario, world.local_ranks());
  const std::int64_t have =
      cuda::module().free_bytes(cuda::device()) + subject.memory().spare_bytes();
  if (need > have) {
    refusal = too_large(scenario, need, have, "memory on " + subject.memory().name());
  }
  // A rank that is short of memory must stop all of them.
  const std::vector<Bytes> local(static_cast<std::size_t>(world.local_ranks()),
                                 std::as_bytes(std::span(refusal)));
  for (const Bytes& said : world.gather_to_root(local)) {
    if (!refusal.empty() || said.empty()) continue;
    refusal.assign(reinterpret_cast<const char*>(said.data()), said.size());
  }
  if (!world.agree(refusal.empty())) {
    throw InputError(refusal.empty() ? "another rank's device is too small" : refusal);
  }
}

RunResult run_scenario(const Scenario& scenario, World& world, const Subject& subject,
                       const RunOptions& options) {
  RunResult result = run_once(scenario, world, subject, options);
  const bool judged = !result.verdict.pass || result.verdict.unjudged.empty();
  if (!world.agree(judged)) {
    throw InputError(
        fmt::format("scenario {}: {}: it is too large for the check end to end; show"
                    " all taps, or make it smaller",
                    scenario.name, result.verdict.unjudged));
  }
  if (world.agree(result.verdict.pass) || !options.repeat_failures) return result;
  if (world.agree(subject.memory().lost())) return result;  // it cannot run again
  RunOptions quiet = options;
  quiet.listener = nullptr;
  const RunResult again = run_once(scenario, world, subject, quiet);
  result.repeated = true;
  result.same_again = !again.verdict.pass && again.output_hash == result.output_hash;
  return result;
}

}  // namespace helixcheck
