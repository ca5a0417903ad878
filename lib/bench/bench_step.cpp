#include "bench/bench_step.hpp"

#include <algorithm>

#include "helix/communicator.hpp"
#include "helix/extents.hpp"
#include "helix/rank_state.hpp"
#include "run/stopwatch.hpp"
#include "scenario/error.hpp"

namespace helixcheck::bench {
namespace {

class Direct final : public Sequence {
 public:
  Direct(Subject::Instance& instance, std::vector<const Subject::Part*> parts,
         std::span<hxc_step* const> steps, hxc_comm& comm)
      : instance_(instance), parts_(std::move(parts)), steps_(steps), comm_(comm) {}
  void run() override {
    for (const Subject::Part* part : parts_) instance_.run(*part, steps_, comm_);
  }
  bool recorded() const override { return false; }

 private:
  Subject::Instance& instance_;
  const std::vector<const Subject::Part*> parts_;
  std::span<hxc_step* const> steps_;
  hxc_comm& comm_;
};

class Recorded final : public Sequence {
 public:
  explicit Recorded(std::unique_ptr<RecordedWork> work) : work_(std::move(work)) {}
  void run() override { work_->run(); }
  bool recorded() const override { return true; }

 private:
  const std::unique_ptr<RecordedWork> work_;
};

}  // namespace

BenchStep::BenchStep(const Inputs& inputs, World& world, const Subject& subject, Memory& memory)
    : inputs_(inputs),
      world_(world),
      subject_(subject),
      memory_(memory),
      model_(make_model(inputs)),
      weight_copies_(inputs, memory),
      weight_address_([this](const Tensor& tensor) { return weight_copies_.address_of(tensor); }),
      comm_(make_communicator(world)) {
  world.use(memory);
  hxc_limits limits{};
  limits.max_rows = limits.max_requests = inputs.problem().batch();
  limits.local_ranks = world.local_ranks();
  std::vector<const hxc_rank*> places;
  std::vector<const hxc_weights*> weights;
  for (int i = 0; i < world.local_ranks(); ++i) {
    ranks_.push_back(std::make_unique<RankBuffers>(inputs, model_, weight_address_,
                                                   world.first_local() + i, memory));
    RankBuffers& rank = *ranks_.back();
    steps_.push_back(&rank.step());
    places.push_back(&rank.place());
    weights.push_back(&rank.weights());
    limits.max_local_len = std::max(limits.max_local_len, rank.keys());
    limits.max_pages_per_request = std::max(limits.max_pages_per_request, rank.pages_per_request());
  }
  limits.max_prompt_rows = std::min(limits.max_local_len, kPromptChunk);
  instance_ = std::make_unique<Subject::Instance>(subject, model_, places, weights, limits);
  for (auto& rank : ranks_) rank->set_workspace(instance_->workspace_bytes());
  run_plan();
}

BenchStep::~BenchStep() {
  // Whatever is still queued works on memory that goes now.
  try {
    memory_.synchronize();
  } catch (const std::exception&) {  // it was reported where it happened
  }
}

void BenchStep::run_plan() {
  const Subject::Part& plan = subject_.part_of(HXC_PLAN);
  if (plan.last != HXC_PLAN) return;
  for (int call = 0; call < 2; ++call) {
    const Stopwatch watch;
    instance_->run(plan, steps_, comm_);
    memory_.synchronize();
    plan_us_ = 1e6 * watch.seconds();
  }
}

bool BenchStep::shows(hxc_stage stage) const {
  return subject_.part_of(stage).last == stage;
}

std::unique_ptr<Sequence> BenchStep::whole(bool record) {
  const bool core = inputs_.problem().entry == Entry::core;
  std::vector<const Subject::Part*> parts;
  for (const Subject::Part& part : subject_.parts()) {
    if (part.last == HXC_PLAN) continue;
    if (core && (part.first == HXC_OUTPUT || part.last == HXC_PROJECT)) continue;
    if (core && (part.first <= HXC_PROJECT || part.last == HXC_OUTPUT)) {
      throw InputError("subject " + subject_.name() + " covers " + stage_name(part.first) + " to " +
                       stage_name(part.last) + " in one piece, which entry core does not run");
    }
    parts.push_back(&part);
  }
  // `plan` may synchronise, which cannot be recorded.
  const bool plans = parts.front()->first == HXC_PLAN;
  return sequence(std::move(parts), record && !plans);
}

std::unique_ptr<Sequence> BenchStep::stage(hxc_stage stage, bool record) {
  const Subject::Part& part = subject_.part_of(stage);
  if (part.first != part.last) return nullptr;
  return sequence({&part}, record);
}

std::unique_ptr<Sequence> BenchStep::sequence(std::vector<const Subject::Part*> parts,
                                              bool record) {
  auto direct = std::make_unique<Direct>(*instance_, std::move(parts), steps_, comm_);
  if (!record || memory_.is_host() || !world_.recordable()) return direct;
  direct->run();  // what is set up at a first call is not recorded
  memory_.synchronize();
  std::unique_ptr<RecordedWork> work = record_work(memory_, [&] { direct->run(); });
  if (work == nullptr) return direct;
  return std::make_unique<Recorded>(std::move(work));
}

}  // namespace helixcheck::bench
