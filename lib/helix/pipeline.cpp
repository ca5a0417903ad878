// Step by step: pages are arranged, inputs laid out, the subject's parts run in stage order, taps
// collected. The cache is read back right after `append`, before anything else can touch it.
//
// On a device a step is queued as a whole: after each part, what it made comes down to the host's
// mirror in stream order, and one wait at the end makes all of it readable. Only the plan is waited
// for, since nothing may follow it into memory before it was looked at.

#include "helix/pipeline.hpp"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <map>
#include <thread>

#include "generate/philox.hpp"
#include "helix/cache_pools.hpp"
#include "helix/communicator.hpp"
#include "helix/extents.hpp"
#include "helix/prompt.hpp"
#include "helix/rank_state.hpp"
#include "helix/step_inputs.hpp"
#include "helix/tap_buffers.hpp"
#include "helix/tap_collector.hpp"
#include "helix/weight_copies.hpp"
#include "scenario/names.hpp"
#include "scenario/ownership.hpp"
#include "subject/views.hpp"

namespace helixcheck {
namespace {

bool covers(const Subject::Part& part, Stage stage) {
  return part.first <= static_cast<hxc_stage>(stage) && static_cast<hxc_stage>(stage) <= part.last;
}

// Spans must not reach over the ends of what an entry runs.
void require_parts(const Subject& subject, Entry entry) {
  for (const Subject::Part& part : subject.parts()) {
    const bool single = part.first == part.last;
    const bool core_misfit = covers(part, Stage::project) || covers(part, Stage::output);
    const bool merge_misfit = covers(part, Stage::combine);
    if (single || entry == Entry::layer || !(entry == Entry::core ? core_misfit : merge_misfit)) {
      continue;
    }
    throw InputError(
        fmt::format("subject {} covers {} to {} in one piece, which entry {} does not run",
                    subject.name(), stage_name(part.first), stage_name(part.last), name_of(entry)));
  }
}

}  // namespace

struct Pipeline::Impl {
  const Inputs& inputs;
  const Scenario& scenario;
  const Problem& problem;
  World& world;
  const Subject& subject;
  Memory& memory;
  const hxc_model model;
  hxc_comm comm;
  const std::vector<Step> script;
  const std::int64_t prompt_chunk;
  const Extents extents;
  History history;
  const WeightCopies weight_copies;
  const WeightAddress weight_address;
  TapBuffers buffers;
  CachePools pools;
  RankStates ranks;
  PromptFiller prompts;
  std::vector<hxc_step*> steps;
  std::vector<const hxc_rank*> places;      // of the ranks of this process
  std::vector<const hxc_weights*> weights;  // of the same
  std::unique_ptr<Subject::Instance> instance;
  // By rows and requests of a step: its work after `plan`.
  std::map<std::pair<std::int64_t, std::int64_t>, std::unique_ptr<RecordedWork>> recorded;
  std::vector<hxc_request> request_views;
  TapCollector collector;
  Observer* observer = nullptr;

  Impl(const Inputs& in, World& w, const Subject& s)
      : inputs(in),
        scenario(in.scenario()),
        problem(in.problem()),
        world(w),
        subject(s),
        memory(s.memory()),
        model(make_model(in)),
        comm(make_communicator(w)),
        script(expand_script(scenario)),
        prompt_chunk(memory.is_host() ? kPromptChunk : kDevicePromptChunk),
        extents(problem.entry == Entry::merge ? merge_extents()
                                              : find_extents(scenario, script, prompt_chunk)),
        history(scenario),
        weight_copies(in, memory),
        weight_address([this](const Tensor& tensor) { return weight_copies.address_of(tensor); }),
        buffers(memory, static_cast<std::size_t>(w.local_ranks())),
        pools(memory, pool_bytes()),
        prompts(in, w, ranks, buffers, pools, memory, prompt_chunk),
        collector(w, ranks, !memory.is_host()) {
    require_parts(subject, problem.entry);
    world.use(memory);
    for (int i = 0; i < world.local_ranks(); ++i) {
      const RankMemory where{memory, buffers, static_cast<std::size_t>(i), weight_address,
                             pools.place(static_cast<std::size_t>(i))};
      ranks.push_back(
          std::make_unique<RankState>(inputs, model, world.first_local() + i, extents, where));
      pools.add(ranks.back()->cache());
      steps.push_back(&ranks.back()->step());
      places.push_back(&ranks.back()->place());
      weights.push_back(&ranks.back()->weights());
    }
    buffers.allocate();
    make_instance();
  }

  ~Impl() {
    // Whatever is still queued works on memory that goes now.
    try {
      memory.synchronize();
    } catch (const std::exception&) {  // it was reported where it happened
    }
  }

  void make_instance() {
    const hxc_limits limits{extents.rows,      extents.prompt_rows,
                            extents.requests,  extents.pages_per_request,
                            extents.local_len, world.local_ranks()};
    recorded.clear();  // it works on the last instance's memory
    instance = std::make_unique<Subject::Instance>(subject, model, places, weights, limits);
    for (auto& rank : ranks) rank->set_workspace(instance->workspace_bytes());
  }

  std::vector<std::size_t> pool_bytes() const {
    std::vector<std::size_t> bytes;
    for (int i = 0; i < world.local_ranks(); ++i) {
      const hxc_rank place = make_place(scenario, world.first_local() + i);
      bytes.push_back(PagedCache::pool_bytes(scenario, pages_of(extents, place)));
    }
    return bytes;
  }

  Extents merge_extents() const {
    Extents result;
    result.rows = problem.batch();
    result.pages.assign(static_cast<std::size_t>(scenario.layout.kvp), 0);
    return result;
  }

  void run_script() {
    for (std::size_t i = 0; i < script.size(); ++i) {
      const Step& step = script[i];
      const auto number = static_cast<std::int64_t>(i);
      if (scenario.run.instance == InstanceLife::renewed && i > 0) make_instance();
      switch (step.kind) {
        case StepKind::join: join(step, number); break;
        case StepKind::decode:
          if (!decode(step, number)) return;
          break;
        default: rearrange(step); break;
      }
    }
  }

  std::int64_t held(const RankState& rank, std::int64_t id) const {
    const RequestState& request = history.request(id);
    return owned_count(scenario.layout, rank.place().kvp_rank, request.tokens.size(),
                       request.prompt_len);
  }

  void announce(const Step& step) {
    if (world.is_root()) observer->on_event(step, history);
  }

  // reject, finish, fork: pages move, no stage runs.
  void rearrange(const Step& step) {
    const std::int64_t child = history.requests_ever();
    history.apply(step);
    for (auto& rank : ranks) {
      for (const std::int64_t id : step.requests) {
        if (step.kind == StepKind::reject) rank->cache().shrink(id, held(*rank, id));
        if (step.kind == StepKind::finish) rank->cache().release(id);
        if (step.kind == StepKind::fork) rank->cache().fork(id, child);
      }
    }
    announce(step);
  }

  void join(const Step& step, std::int64_t number) {
    history.apply(step);
    announce(step);
    const bool computed = problem.entry == Entry::layer && problem.prompt == Prompt::computed;
    for (const std::int64_t id : step.requests) {
      for (auto& rank : ranks) rank->cache().grow(id, held(*rank, id));
      if (computed) {
        compute_prompt(history.request(id), number);
      } else {
        world.enter_harness("prompt", number);
        prompts.store_given(history.request(id));
      }
    }
    // Before the harness writes again: what else the prompts left in the pools must not be lost
    // under its next upload. Prompts without a token ran nothing, and nothing went up for them.
    if (computed && !pools.in_one_piece() && !pools.ahead()) {
      pools.download();
      finish_queue(HXC_APPEND, number);
    }
  }

  // The subject's own `project` and `append`, a chunk of each owner's tokens at a time.
  void compute_prompt(const RequestState& request, std::int64_t number) {
    const Subject::Part& project = subject.prompt_part(HXC_PROJECT);
    const Subject::Part& append = subject.prompt_part(HXC_APPEND);
    const std::int64_t end = prompts.most_owned(request);
    for (std::int64_t begin = 0; begin < end; begin += prompt_chunk) {
      PromptTaps taps = prompts.lay_out_chunk(request, number, begin);
      taps.history = &history;
      buffers.upload(
          {static_cast<std::size_t>(Tap::position), static_cast<std::size_t>(Tap::slot)});
      if (!prompts.hidden_is_drawn()) buffers.upload({TapBuffers::kHidden});
      pools.upload();
      run_part(project, number);
      if (append.first != project.first) run_part(append, number);
      buffers.download(Stage::project);
      if (!memory.is_host()) prompts.read_chunk(request, begin);
      finish_queue(append.first, number);
      prompts.accept_chunk(request, begin);
      if (scenario.run.observe == Observe::end) continue;
      collector.take_prompt(taps);
      world.enter_harness("judge", number);
      if (world.is_root()) observer->on_prompt(taps);
    }
  }

  // Ranks that share a process take turns: only ranks of their own can be late.
  void dawdle(const Subject::Part& part, std::int64_t number) const {
    if (scenario.run.skew_us == 0 || world.local_ranks() == world.size()) return;
    const std::uint32_t share = philox4x32_10(
        {static_cast<std::uint32_t>(world.first_local()), static_cast<std::uint32_t>(part.first),
         static_cast<std::uint32_t>(number), 0},
        problem.data.seed)[0];
    const std::uint64_t limit = static_cast<std::uint64_t>(scenario.run.skew_us) + 1;
    std::this_thread::sleep_for(std::chrono::microseconds((share * limit) >> 32));
  }

  void run_part(const Subject::Part& part, std::int64_t number) {
    dawdle(part, number);
    world.enter(stage_name(part.first), number);
    instance->run(part, steps, comm);
  }

  // Waits for what is queued. A fault of the device shows here; `last` is the stage queued last.
  void finish_queue(hxc_stage last, std::int64_t number) {
    try {
      memory.synchronize();
    } catch (const DeviceFault& fault) {
      throw StageError(last, fmt::format("step {}: the device failed in stage {} or before: {}",
                                         number, stage_name(last), fault.what()));
    }
  }

  // Returns false if the plan was unusable: then the run is over.
  bool decode(const Step& step, std::int64_t number) {
    StepTaps taps;
    std::vector<StepRequest> requests;
    for (std::size_t i = 0; i < step.requests.size(); ++i) {
      const RequestState& before = history.request(step.requests[i]);
      requests.push_back(
          StepRequest{before.id, before.prompt_len, before.tokens.size(), step.tokens[i]});
    }
    const std::vector<Row> rows = history.apply(step);
    taps.step = number;
    taps.requests = requests;
    taps.rows = rows;
    taps.padding_rows = scenario.layout.padding_rows;
    taps.history = &history;
    prepare_step(requests, rows, number);
    const bool usable = run_stages(requests, number);
    world.enter_harness("judge", number);
    collector.finish(taps);
    if (world.is_root()) observer->on_step(taps);
    if (!usable && !shown(Tap::slot)) {
      throw StageError(HXC_PLAN, fmt::format("step {}: plan points outside its memory", number));
    }
    return usable;
  }

  bool run_stages(std::span<const StepRequest> requests, std::int64_t number) {
    collector.begin_step();
    take_shown(Tap::block_table, Tap::block_table);
    if (problem.entry == Entry::core) take_shown(Tap::q_a, Tap::latent);
    std::vector<const Subject::Part*> to_run;
    for (const Subject::Part& part : subject.parts()) {
      if (!skipped(part)) to_run.push_back(&part);
    }
    if (covers(*to_run.front(), Stage::plan)) {
      run_parts(std::span(to_run).first(1), requests, number);
      collect(std::span(to_run).first(1), requests, number);
      if (!plan_is_usable()) return false;
      to_run.erase(to_run.begin());
    }
    launch(to_run, requests, number);
    collect(to_run, requests, number);
    pools.download();
    finish_queue(subject.parts().back().last, number);
    collector.read_late_changes();
    take_shown(Tap::cache_late, Tap::cache_late);
    return true;
  }

  using Parts = std::span<const Subject::Part* const>;

  // On the host what a part made is taken before the next one runs; on a device it comes down in
  // stream order.
  void run_parts(Parts parts, std::span<const StepRequest> requests, std::int64_t number) {
    for (const Subject::Part* part : parts) {
      run_part(*part, number);
      queue_downloads(*part);
      if (memory.is_host()) take(*part, requests);
    }
  }

  // As `run.launch` says. The first step of a shape runs directly and is then recorded, which
  // executes nothing; later ones run what was recorded.
  void launch(Parts parts, std::span<const StepRequest> requests, std::int64_t number) {
    const bool whole_world = world.local_ranks() == world.size();
    // The base subject's `plan` brings a step's sizes to the device; another's need not.
    const bool plans = !subject.part_of(HXC_PLAN).overridden;
    if (scenario.run.launch == Launch::direct || memory.is_host() || !whole_world || !plans) {
      return run_parts(parts, requests, number);
    }
    std::unique_ptr<RecordedWork>& known = recorded[{steps[0]->rows, steps[0]->request_count}];
    if (known) return known->run();
    run_parts(parts, requests, number);
    known = record_work(memory, [&] { run_parts(parts, requests, number); });
  }

  // What a part made, as it is when the part is done.
  void queue_downloads(const Subject::Part& part) {
    for (const Stage stage : {Stage::plan, Stage::project, Stage::attend, Stage::exchange,
                              Stage::combine, Stage::output}) {
      if (covers(part, stage)) buffers.download(stage);
    }
    if (covers(part, Stage::append)) pools.download();
  }

  // Waits for the parts and takes their taps; on the host that was done.
  void collect(Parts parts, std::span<const StepRequest> requests, std::int64_t number) {
    if (memory.is_host() || parts.empty()) return;
    finish_queue(parts.back()->last, number);
    for (const Subject::Part* part : parts) take(*part, requests);
  }

  void take(const Subject::Part& part, std::span<const StepRequest> requests) {
    if (covers(part, Stage::append)) collector.read_cache(requests);
    for (int i = 0; i < kTapCount; ++i) {
      const auto tap = static_cast<Tap>(i);
      if (covers(part, stage_of(tap)) && tap != Tap::cache_late) take_shown(tap, tap);
    }
  }

  // Later stages follow the plan into memory, so nothing in it may point outside, on any rank.
  bool plan_is_usable() {
    std::vector<std::byte> usable;
    std::vector<Bytes> views;
    for (const auto& rank : ranks) usable.push_back(std::byte{rank->plan_is_usable()});
    for (const std::byte& flag : usable) views.push_back({&flag, 1});
    bool all = true;
    for (const Bytes& flag : world.gather_to_root(views)) all = all && flag[0] != std::byte{0};
    return world.agree(all);
  }

  void take_shown(Tap first, Tap last) {
    for (int i = static_cast<int>(first); i <= static_cast<int>(last); ++i) {
      if (shown(static_cast<Tap>(i))) collector.take(static_cast<Tap>(i));
    }
  }

  void prepare_step(std::span<const StepRequest> requests, std::span<const Row> rows,
                    std::int64_t number) {
    request_views.clear();
    for (const StepRequest& r : requests) {
      request_views.push_back({r.prompt_len, r.cached, r.query_tokens});
    }
    const std::int64_t padded = std::ssize(rows) + scenario.layout.padding_rows;
    buffers.begin_step();
    for (auto& rank : ranks) {
      rank->begin_step(number, padded, std::ssize(requests), false);
      rank->step().padding_rows = scenario.layout.padding_rows;
      rank->step().requests = request_views.data();
      for (const StepRequest& r : requests) rank->cache().grow(r.id, held(*rank, r.id));
      rank->set_block_table(requests);
    }
    fill_step_inputs(inputs, ranks, rows);
    upload_inputs();
  }

  void upload_inputs() {
    const auto slot = [](Tap tap) { return static_cast<std::size_t>(tap); };
    if (problem.entry == Entry::layer) {
      buffers.upload({slot(Tap::block_table), TapBuffers::kHidden});
    } else {
      buffers.upload({slot(Tap::block_table), slot(Tap::q), slot(Tap::latent)});
    }
    pools.upload();
  }

  // `core` ends with `combine` and starts from given queries.
  bool skipped(const Subject::Part& part) const {
    return problem.entry == Entry::core && (part.first == HXC_OUTPUT || part.last == HXC_PROJECT);
  }

  // Taps inside a span are not shown: nobody promises that they are written.
  bool shown(Tap tap) const {
    const Stage stage = stage_of(tap);
    const Stage last = problem.entry == Entry::layer ? Stage::output : Stage::combine;
    if (stage > last) return false;
    const bool exit =
        static_cast<hxc_stage>(stage) == subject.part_of(static_cast<hxc_stage>(stage)).last;
    const bool given = tap == Tap::block_table || tap == Tap::cache_late ||
                       (problem.entry == Entry::core && stage == Stage::project);
    const bool result = stage == last && tap != Tap::v_up && tap != Tap::o_partial;
    return (exit || given) && (scenario.run.observe == Observe::all || result);
  }

  // `merge`: given partials, one stage, one rank.
  void run_merge() {
    RankState& rank = *ranks.front();
    const std::int64_t rows = problem.batch();
    buffers.begin_step();
    rank.begin_step(0, rows, 0, false);
    fill_merge_inputs(inputs, rank);
    buffers.upload(
        {static_cast<std::size_t>(Tap::exchanged), static_cast<std::size_t>(Tap::exchanged_lse)});
    run_part(subject.part_of(HXC_COMBINE), 0);
    buffers.download(Stage::combine);
    finish_queue(HXC_COMBINE, 0);
    StepTaps taps;
    std::vector<Row> merge_rows(static_cast<std::size_t>(rows));
    taps.rows = merge_rows;
    taps.history = &history;
    collector.begin_step();
    for (const Tap tap : {Tap::exchanged, Tap::exchanged_lse, Tap::combined, Tap::combined_lse}) {
      collector.take(tap);
    }
    collector.finish(taps);
    if (world.is_root()) observer->on_step(taps);
  }
};

Pipeline::Pipeline(const Inputs& inputs, World& world, const Subject& subject)
    : impl_(std::make_unique<Impl>(inputs, world, subject)) {}

Pipeline::~Pipeline() = default;

void Pipeline::run(Observer& observer) {
  impl_->observer = &observer;
  if (impl_->problem.entry == Entry::merge) {
    impl_->run_merge();
  } else {
    impl_->run_script();
  }
}

}  // namespace helixcheck
