// Resolution of tables and the life cycle of instances.

#include "subject/subject.hpp"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

#include "device/cuda.hpp"
#include "scenario/error.hpp"
#include "subject/canary.hpp"
#include "subject/cpu/subject.hpp"
#include "subject/mutants/mutants.hpp"

namespace helixcheck {
namespace {

constexpr std::string_view kMutantPrefix = "mutant:";

constexpr std::array<const char*, HXC_STAGE_COUNT> kStageNames = {
    "plan", "project", "append", "attend", "exchange", "combine", "output"};

void check_table(const hxc_subject& table) {
  const char* name = table.name != nullptr ? table.name : "(unnamed)";
  if (table.abi_version != HXC_ABI_VERSION) {
    throw InputError(fmt::format("subject {} speaks ABI version {}, this command version {}", name,
                                 table.abi_version, HXC_ABI_VERSION));
  }
  if (table.memory != HXC_HOST && table.memory != HXC_CUDA) {
    throw InputError(
        fmt::format("subject {} names memory {}, which does not exist", name, table.memory));
  }
  if (table.name == nullptr || table.contract == nullptr ||
      (table.entry_count > 0 && table.entries == nullptr)) {
    throw InputError(fmt::format("subject {} lacks a name, a contract or its entries", name));
  }
  for (std::int32_t i = 0; i < table.entry_count; ++i) {
    const hxc_entry& entry = table.entries[i];
    if (entry.first < HXC_PLAN || entry.first > entry.last || entry.last >= HXC_STAGE_COUNT ||
        entry.run == nullptr) {
      throw InputError(fmt::format("subject {}: entry {} does not name a run of stages", name, i));
    }
  }
}

// The sentence, also where the subject forgot to end it.
std::string message_of(const hxc_error& error) {
  return std::string(error.message, strnlen(error.message, sizeof error.message));
}

InputError unsupported(const std::string& subject, const hxc_error& error) {
  return InputError(
      fmt::format("subject {} does not take this scenario: {}", subject, message_of(error)));
}

std::vector<Subject::Part> parts_of(const hxc_subject& table, bool overridden) {
  check_table(table);
  std::vector<Subject::Part> parts;
  for (std::int32_t i = 0; i < table.entry_count; ++i) {
    const hxc_entry& entry = table.entries[i];
    parts.push_back(Subject::Part{static_cast<hxc_stage>(entry.first),
                                  static_cast<hxc_stage>(entry.last), entry.run, overridden});
  }
  std::sort(parts.begin(), parts.end(),
            [](const Subject::Part& a, const Subject::Part& b) { return a.first < b.first; });
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].first <= parts[i - 1].last) {
      throw InputError(fmt::format("subject {}: two entries cover stage {}", table.name,
                                   kStageNames[parts[i].first]));
    }
  }
  return parts;
}

bool covers(const Subject::Part& part, hxc_stage stage) {
  return part.first <= stage && stage <= part.last;
}

const Subject::Part& find_part(std::span<const Subject::Part> parts, hxc_stage stage) {
  return *std::find_if(parts.begin(), parts.end(),
                       [&](const Subject::Part& part) { return covers(part, stage); });
}

}  // namespace

Subject::Subject(const hxc_subject& base, const hxc_subject* override_table)
    : base_(base), override_(override_table), base_parts_(parts_of(base, false)) {
  if (override_ != nullptr && override_->memory != base_.memory) {
    throw InputError(fmt::format("subject {} works on another memory than subject {}",
                                 override_->name, base_.name));
  }
  std::vector<Part> overrides;
  if (override_ != nullptr) overrides = parts_of(*override_, true);
  for (int stage = HXC_PLAN; stage < HXC_STAGE_COUNT;) {
    const auto at_stage = std::find_if(overrides.begin(), overrides.end(),
                                       [&](const Part& part) { return part.first == stage; });
    parts_.push_back(at_stage != overrides.end()
                         ? *at_stage
                         : find_part(base_parts_, static_cast<hxc_stage>(stage)));
    stage = parts_.back().last + 1;
  }
}

std::string Subject::name() const {
  return override_ == nullptr ? std::string(base_.name)
                              : fmt::format("{}+{}", base_.name, override_->name);
}

Memory& Subject::memory() const {
  return base_.memory == HXC_CUDA ? cuda::memory() : host_memory();
}

const Subject::Part& Subject::part_of(hxc_stage stage) const {
  return find_part(parts_, stage);
}

std::string Subject::contract_of(hxc_stage stage) const {
  return part_of(stage).overridden ? override_->contract : base_.contract;
}

const Subject::Part& Subject::prompt_part(hxc_stage stage) const {
  const Part& part = part_of(stage);
  return part.last <= HXC_APPEND ? part : find_part(base_parts_, stage);
}

Subject::Instance::Instance(const Subject& subject, const hxc_model& model,
                            std::span<const hxc_rank* const> places,
                            std::span<const hxc_weights* const> weights, const hxc_limits& limits)
    : subject_(subject), keeper_(InstanceKeeper::current()) {
  const auto create = [&](const hxc_subject& table, void*& handle) {
    hxc_error error{};
    int status = 0;
    if (keeper_ != nullptr) {
      handle = keeper_->take({table, model, places, weights, limits}, status, error);
    } else {
      status = table.create(&handle, &model, places.data(), weights.data(), &limits, &error);
    }
    if (status == HXC_UNSUPPORTED) throw unsupported(table.name, error);
    if (status == HXC_NO_MEMORY) throw ResourceError(message_of(error));
    if (status == 0) return;
    throw SubjectError(fmt::format("subject {}: create failed: {}", table.name, error.message));
  };
  if (subject.base_.create != nullptr) create(subject.base_, handles_[0]);
  if (subject.override_ == nullptr || subject.override_->create == nullptr) return;
  try {
    create(*subject.override_, handles_[1]);
  } catch (...) {
    handles_[1] = nullptr;
    release();
    throw;
  }
}

Subject::Instance::~Instance() {
  release();
}

void Subject::Instance::release() {
  const std::array<const hxc_subject*, 2> tables = {&subject_.base_, subject_.override_};
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (handles_[i] == nullptr) continue;
    if (keeper_ != nullptr) {
      keeper_->give_back(*tables[i], handles_[i], !failed_);
    } else if (tables[i]->destroy != nullptr) {
      tables[i]->destroy(handles_[i]);
    }
  }
}

void Subject::Instance::run(const Part& part, std::span<hxc_step* const> ranks, hxc_comm& comm) {
  hxc_error error{};
  void* handle = handles_[part.overridden ? 1 : 0];
  int status = 0;
  try {
    status = part.run(handle, ranks.data(), &comm, &error);
  } catch (...) {  // whatever it is: nothing may cross the boundary
    failed_ = true;
    throw StageError(part.first, fmt::format("step {}: stage {} threw an exception", ranks[0]->step,
                                             stage_name(part.first)));
  }
  if (status == 0) return;
  failed_ = true;
  if (status == HXC_UNSUPPORTED) throw unsupported(subject_.name(), error);
  if (status == HXC_NO_MEMORY) throw ResourceError(message_of(error));
  throw StageError(part.first,
                   fmt::format("step {}: stage {} failed with status {}: {}", ranks[0]->step,
                               stage_name(part.first), status, message_of(error)));
}

std::size_t Subject::Instance::workspace_bytes() const {
  std::size_t bytes = 0;
  if (subject_.base_.workspace_bytes) bytes = subject_.base_.workspace_bytes(handles_[0]);
  if (subject_.override_ != nullptr && subject_.override_->workspace_bytes) {
    bytes = std::max(bytes, subject_.override_->workspace_bytes(handles_[1]));
  }
  return bytes;
}

const char* stage_name(hxc_stage stage) {
  return kStageNames[stage];
}

std::span<const hxc_subject* const> builtin_subjects() {
  static const std::array<const hxc_subject*, 3> all = {&cpu::subject(), &cpu::subject_p16(),
                                                        &canary_subject()};
  return all;
}

namespace {

const hxc_subject& cuda_subject(std::string_view name) {
  for (const hxc_subject* subject : cuda::module().subjects()) {
    if (name == subject->name) return *subject;
  }
  throw ResourceError(fmt::format("the CUDA part beside this command has no subject '{}'", name));
}

std::unique_ptr<Subject> find_plugin(const std::string& file) {
  const hxc_subject& table = load_plugin(file);
  return std::make_unique<Subject>(base_subject(static_cast<hxc_memory>(table.memory)), &table);
}

}  // namespace

const hxc_subject& base_subject(hxc_memory memory) {
  return memory == HXC_CUDA ? cuda_subject("cuda") : cpu::subject();
}

bool is_mutant(std::string_view name) {
  return name.starts_with(kMutantPrefix);
}

std::unique_ptr<Subject> find_subject(const std::string& name) {
  if (is_mutant(name)) {
    const Mutant& mutant = find_mutant(std::string_view(name).substr(kMutantPrefix.size()));
    return std::make_unique<Subject>(base_subject(mutant.memory()), &table_of(mutant));
  }
  if (name.find('/') != std::string::npos || name.ends_with(".so")) return find_plugin(name);
  std::string known;
  for (const hxc_subject* subject : builtin_subjects()) {
    if (name == subject->name) {
      const bool whole = subject->entry_count == HXC_STAGE_COUNT;
      return whole ? std::make_unique<Subject>(*subject)
                   : std::make_unique<Subject>(cpu::subject(), subject);
    }
    known += fmt::format("{}{}", known.empty() ? "" : ", ", subject->name);
  }
  for (const std::string_view subject : cuda::subject_names()) {
    if (name == subject) return std::make_unique<Subject>(cuda_subject(name));
    known += fmt::format(", {}", subject);
  }
  throw InputError(fmt::format(
      "subject '{}' is unknown; built in are {}, a plug-in is named by its path", name, known));
}

}  // namespace helixcheck
