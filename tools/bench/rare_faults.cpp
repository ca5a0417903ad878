// Each fault is the CPU subject with a hook before or after one of its stages. A hook before a
// stage works on copies of the stage's inputs, so that only the stage sees what it changes.

#include "rare_faults.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <memory>

#include "fault_site.hpp"
#include "scenario/error.hpp"
#include "subject/cpu/instance.hpp"
#include "subject/cpu/subject.hpp"
#include "subject/views.hpp"

namespace helixcheck {
namespace {

constexpr std::size_t kMost = 32;  // faults

std::vector<FaultRule>& rules() {
  static std::vector<FaultRule> all = [] {
    std::vector<FaultRule> both(kDiscreteFaults, kDiscreteFaults + kDiscreteFaultCount);
    both.insert(both.end(), kNumericFaults, kNumericFaults + kNumericFaultCount);
    return both;
  }();
  return all;
}

thread_local std::array<bool, kMost> met{};

struct Instance {
  void* cpu = nullptr;
  std::vector<FaultMemory> memories;  // one a rank
};

// A dense copy of an integer tensor, and the view of it.
struct IntegerCopy {
  std::vector<std::int64_t> values;
  hxc_tensor view;

  explicit IntegerCopy(const hxc_tensor& from) : view(from) {
    if (from.data == nullptr) return;
    const std::int64_t columns = from.rank > 1 ? from.shape[1] : 1;
    for (std::int64_t i = 0; i < from.shape[0]; ++i) {
      for (std::int64_t j = 0; j < columns; ++j) values.push_back(int_at(from, i, j));
    }
    view.data = values.data();
    view.stride[0] = columns;
    view.stride[1] = 1;
  }
};

constexpr std::array<hxc_stage_fn, HXC_STAGE_COUNT> kStages = {
    cpu::plan, cpu::project, cpu::append, cpu::attend, cpu::exchange, cpu::combine, cpu::output};

class StageRun {
 public:
  StageRun(Instance& self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error)
      : self_(self), ranks_(ranks), comm_(comm), error_(error), count_(comm->local_ranks) {}

  int with(const FaultRule& rule) {
    std::vector<hxc_step> steps;
    std::vector<IntegerCopy> copies;
    steps.reserve(static_cast<std::size_t>(count_));
    copies.reserve(2 * static_cast<std::size_t>(count_));
    if (rule.before == nullptr || ranks_[0]->is_prompt) return finish(rule, ranks_);
    std::vector<hxc_step*> addresses;
    for (std::int32_t i = 0; i < count_; ++i) {
      FaultSite site{*ranks_[i], memory(i), rule.threshold};
      site.step.visible = copies.emplace_back(ranks_[i]->visible).view;
      site.step.block_table = copies.emplace_back(ranks_[i]->block_table).view;
      rule.before(site);
      addresses.push_back(&steps.emplace_back(site.step));
    }
    return finish(rule, addresses.data());
  }

  int watched(hxc_stage stage) {
    const int status = kStages[stage](self_.cpu, ranks_, comm_, error_);
    for (std::size_t f = 0; f < kDiscreteFaultCount && !ranks_[0]->is_prompt; ++f) {
      const FaultRule& rule = rules()[f];
      for (std::int32_t i = 0; rule.stage == stage && i < count_; ++i) {
        FaultSite site{*ranks_[i], memory(i), rule.threshold, true};
        if (rule.before != nullptr) rule.before(site);
        if (rule.after != nullptr) rule.after(site);
        met[f] = met[f] || site.struck;
      }
    }
    return status;
  }

  void remember() {
    for (std::int32_t i = 0; i < count_; ++i) {
      const hxc_step& step = *ranks_[i];
      memory(i).requests.assign(step.requests, step.requests + step.request_count);
    }
  }

 private:
  FaultMemory& memory(std::int32_t i) { return self_.memories[static_cast<std::size_t>(i)]; }

  int finish(const FaultRule& rule, hxc_step* const* given) {
    const int status = kStages[rule.stage](self_.cpu, given, comm_, error_);
    for (std::int32_t i = 0; rule.after != nullptr && i < count_; ++i) {
      FaultSite site{*ranks_[i], memory(i), rule.threshold};
      rule.after(site);
    }
    return status;
  }

  Instance& self_;
  hxc_step* const* ranks_;
  hxc_comm* comm_;
  hxc_error* error_;
  std::int32_t count_;
};

template <std::size_t fault>
int run_faulty(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  return StageRun(*static_cast<Instance*>(self), ranks, comm, error).with(rules()[fault]);
}

template <hxc_stage stage>
int run_watched(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  return StageRun(*static_cast<Instance*>(self), ranks, comm, error).watched(stage);
}

// The last stage that both entries of the pipeline have; what a step was is kept there.
int combine_and_remember(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  StageRun run(*static_cast<Instance*>(self), ranks, comm, error);
  run.remember();
  return cpu::combine(static_cast<Instance*>(self)->cpu, ranks, comm, error);
}

int watch_combine(void* self, hxc_step* const* ranks, hxc_comm* comm, hxc_error* error) {
  StageRun run(*static_cast<Instance*>(self), ranks, comm, error);
  const int status = run.watched(HXC_COMBINE);
  run.remember();
  return status;
}

int create(void** instance, const hxc_model* model, const hxc_rank* const* places,
           const hxc_weights* const* weights, const hxc_limits* limits, hxc_error* error) {
  auto own = std::make_unique<Instance>();
  own->memories.resize(static_cast<std::size_t>(limits->local_ranks));
  const int status = cpu::subject().create(&own->cpu, model, places, weights, limits, error);
  *instance = own.release();
  return status;
}

void destroy(void* instance) {
  const std::unique_ptr<Instance> own(static_cast<Instance*>(instance));
  cpu::subject().destroy(own->cpu);
}

struct Table {
  std::array<hxc_entry, 2> entries{};
  hxc_subject subject{};
};

template <std::size_t fault>
void fill(Table& table) {
  if (fault >= rules().size()) return;
  const FaultRule& rule = rules()[fault];
  table.entries = {hxc_entry{rule.stage, rule.stage, run_faulty<fault>},
                   hxc_entry{HXC_COMBINE, HXC_COMBINE, combine_and_remember}};
  table.subject = {
      HXC_ABI_VERSION,      HXC_HOST, rule.name.data(), "cpu",  rule.stage == HXC_COMBINE ? 1 : 2,
      table.entries.data(), create,   nullptr,          destroy};
}

template <std::size_t... faults>
std::array<Table, kMost>& tables(std::index_sequence<faults...>) {
  static std::array<Table, kMost> all;
  (fill<faults>(all[faults]), ...);
  return all;
}

}  // namespace

std::int64_t& visible_at(FaultSite& site, std::int64_t row) {
  return int_at(site.step.visible, row);
}
std::int64_t& page_at(FaultSite& site, std::int64_t request, std::int64_t page) {
  return int_at(site.step.block_table, request, page);
}

std::span<const RareFault> rare_faults() {
  static const std::vector<RareFault> all = [] {
    std::vector<RareFault> made;
    const std::array<Table, kMost>& filled = tables(std::make_index_sequence<kMost>());
    for (std::size_t i = 0; i < rules().size(); ++i) {
      const FaultRule& rule = rules()[i];
      made.push_back({rule.name, rule.about, &filled[i].subject, rule.numeric});
    }
    return made;
  }();
  return all;
}

const RareFault& find_rare_fault(std::string_view name) {
  std::string known;
  for (const RareFault& fault : rare_faults()) {
    if (fault.name == name) return fault;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", fault.name);
  }
  throw InputError(fmt::format("there is no fault '{}'; there are {}", name, known));
}

void set_threshold(std::string_view fault, double threshold) {
  for (FaultRule& rule : rules()) {
    if (rule.name == fault) rule.threshold = threshold;
  }
}

const hxc_subject& fault_watcher() {
  static constexpr hxc_entry kEntries[] = {
      {HXC_PLAN, HXC_PLAN, run_watched<HXC_PLAN>},
      {HXC_PROJECT, HXC_PROJECT, run_watched<HXC_PROJECT>},
      {HXC_ATTEND, HXC_ATTEND, run_watched<HXC_ATTEND>},
      {HXC_EXCHANGE, HXC_EXCHANGE, run_watched<HXC_EXCHANGE>},
      {HXC_COMBINE, HXC_COMBINE, watch_combine},
  };
  static constexpr hxc_subject kTable{HXC_ABI_VERSION, HXC_HOST, "fault_watcher", "cpu",  5,
                                      kEntries,        create,   nullptr,         destroy};
  return kTable;
}

std::vector<bool> take_met_conditions() {
  std::vector<bool> taken(met.begin(), met.begin() + static_cast<std::ptrdiff_t>(rules().size()));
  met.fill(false);
  return taken;
}

}  // namespace helixcheck
