// The name tables of all enumerations. Declaration order; the first entry need not be the default.

#include "scenario/names.hpp"

#include <array>

namespace helixcheck {
namespace {

template <typename Enum, std::size_t n>
using Table = std::array<std::pair<Enum, std::string_view>, n>;

template <typename Enum>
struct Names;

template <>
struct Names<Dtype> {
  static constexpr std::string_view type = "Dtype";
  static constexpr Table<Dtype, 4> table{{{Dtype::fp32, "fp32"},
                                          {Dtype::fp16, "fp16"},
                                          {Dtype::bf16, "bf16"},
                                          {Dtype::fp8_e4m3, "fp8_e4m3"}}};
};

template <>
struct Names<Entry> {
  static constexpr std::string_view type = "Entry";
  static constexpr Table<Entry, 3> table{
      {{Entry::layer, "layer"}, {Entry::core, "core"}, {Entry::merge, "merge"}}};
};

template <>
struct Names<Family> {
  static constexpr std::string_view type = "Family";
  static constexpr Table<Family, 6> table{{{Family::uniform, "uniform"},
                                           {Family::constant, "constant"},
                                           {Family::shard_constant, "shard_constant"},
                                           {Family::integers, "integers"},
                                           {Family::one_hot, "one_hot"},
                                           {Family::null_test, "null_test"}}};
};

template <>
struct Names<HeavyPlace> {
  static constexpr std::string_view type = "HeavyPlace";
  static constexpr Table<HeavyPlace, 6> table{{{HeavyPlace::key_zero, "key_zero"},
                                               {HeavyPlace::newest, "newest"},
                                               {HeavyPlace::shard_first, "shard_first"},
                                               {HeavyPlace::shard_last, "shard_last"},
                                               {HeavyPlace::page_first, "page_first"},
                                               {HeavyPlace::page_last, "page_last"}}};
};

template <>
struct Names<Prompt> {
  static constexpr std::string_view type = "Prompt";
  static constexpr Table<Prompt, 2> table{
      {{Prompt::computed, "computed"}, {Prompt::given, "given"}}};
};

template <>
struct Names<Ownership> {
  static constexpr std::string_view type = "Ownership";
  static constexpr Table<Ownership, 3> table{{{Ownership::contiguous, "contiguous"},
                                              {Ownership::contiguous_blocks, "contiguous_blocks"},
                                              {Ownership::interleaved, "interleaved"}}};
};

template <>
struct Names<DecodeOwner> {
  static constexpr std::string_view type = "DecodeOwner";
  static constexpr Table<DecodeOwner, 3> table{{{DecodeOwner::last, "last"},
                                                {DecodeOwner::continued, "continued"},
                                                {DecodeOwner::restarted, "restarted"}}};
};

template <>
struct Names<PageOrder> {
  static constexpr std::string_view type = "PageOrder";
  static constexpr Table<PageOrder, 3> table{{{PageOrder::ascending, "ascending"},
                                              {PageOrder::descending, "descending"},
                                              {PageOrder::shuffled, "shuffled"}}};
};

template <>
struct Names<Poison> {
  static constexpr std::string_view type = "Poison";
  static constexpr Table<Poison, 4> table{
      {{Poison::nan, "nan"}, {Poison::inf, "inf"}, {Poison::huge, "huge"}, {Poison::zero, "zero"}}};
};

template <>
struct Names<LseForm> {
  static constexpr std::string_view type = "LseForm";
  static constexpr Table<LseForm, 3> table{
      {{LseForm::ln, "ln"}, {LseForm::log2, "log2"}, {LseForm::max_sum, "max_sum"}}};
};

template <>
struct Names<WorldKind> {
  static constexpr std::string_view type = "WorldKind";
  static constexpr Table<WorldKind, 2> table{{{WorldKind::sim, "sim"}, {WorldKind::mpi, "mpi"}}};
};

template <>
struct Names<TransportKind> {
  static constexpr std::string_view type = "TransportKind";
  // `auto` is no enumerator of C++, but as the default it is never printed as one.
  static constexpr Table<TransportKind, 4> table{{{TransportKind::automatic, "auto"},
                                                  {TransportKind::alltoall, "alltoall"},
                                                  {TransportKind::sendrecv, "sendrecv"},
                                                  {TransportKind::staged, "staged"}}};
};

template <>
struct Names<Observe> {
  static constexpr std::string_view type = "Observe";
  static constexpr Table<Observe, 2> table{{{Observe::all, "all"}, {Observe::end, "end"}}};
};

template <>
struct Names<Launch> {
  static constexpr std::string_view type = "Launch";
  static constexpr Table<Launch, 2> table{{{Launch::direct, "direct"}, {Launch::graph, "graph"}}};
};
template <>
struct Names<InstanceLife> {
  static constexpr std::string_view type = "InstanceLife";
  static constexpr Table<InstanceLife, 2> table{
      {{InstanceLife::kept, "kept"}, {InstanceLife::renewed, "renewed"}}};
};

template <>
struct Names<VerdictRule> {
  static constexpr std::string_view type = "VerdictRule";
  static constexpr Table<VerdictRule, 2> table{
      {{VerdictRule::bound, "bound"}, {VerdictRule::mismatch, "mismatch"}}};
};

template <>
struct Names<StepKind> {
  static constexpr std::string_view type = "StepKind";
  static constexpr Table<StepKind, 5> table{{{StepKind::join, "join"},
                                             {StepKind::decode, "decode"},
                                             {StepKind::reject, "reject"},
                                             {StepKind::finish, "finish"},
                                             {StepKind::fork, "fork"}}};
};

template <typename Enum>
std::string_view find_name(Enum value) {
  for (const auto& entry : Names<Enum>::table) {
    if (entry.first == value) return entry.second;
  }
  return "unknown";
}

}  // namespace

template <typename Enum>
std::span<const std::pair<Enum, std::string_view>> names() {
  return Names<Enum>::table;
}

template <typename Enum>
std::string_view type_name() {
  return Names<Enum>::type;
}

std::string_view name_of(Dtype value) {
  return find_name(value);
}
std::string_view name_of(Entry value) {
  return find_name(value);
}
std::string_view name_of(Family value) {
  return find_name(value);
}
std::string_view name_of(HeavyPlace value) {
  return find_name(value);
}
std::string_view name_of(Prompt value) {
  return find_name(value);
}
std::string_view name_of(Ownership value) {
  return find_name(value);
}
std::string_view name_of(DecodeOwner value) {
  return find_name(value);
}
std::string_view name_of(PageOrder value) {
  return find_name(value);
}
std::string_view name_of(Poison value) {
  return find_name(value);
}
std::string_view name_of(LseForm value) {
  return find_name(value);
}
std::string_view name_of(WorldKind value) {
  return find_name(value);
}
std::string_view name_of(TransportKind value) {
  return find_name(value);
}
std::string_view name_of(Observe value) {
  return find_name(value);
}
std::string_view name_of(InstanceLife value) {
  return find_name(value);
}
std::string_view name_of(Launch value) {
  return find_name(value);
}
std::string_view name_of(VerdictRule value) {
  return find_name(value);
}
std::string_view name_of(StepKind value) {
  return find_name(value);
}

template std::span<const std::pair<Dtype, std::string_view>> names();
template std::span<const std::pair<Entry, std::string_view>> names();
template std::span<const std::pair<Family, std::string_view>> names();
template std::span<const std::pair<HeavyPlace, std::string_view>> names();
template std::span<const std::pair<Prompt, std::string_view>> names();
template std::span<const std::pair<Ownership, std::string_view>> names();
template std::span<const std::pair<DecodeOwner, std::string_view>> names();
template std::span<const std::pair<PageOrder, std::string_view>> names();
template std::span<const std::pair<Poison, std::string_view>> names();
template std::span<const std::pair<LseForm, std::string_view>> names();
template std::span<const std::pair<WorldKind, std::string_view>> names();
template std::span<const std::pair<TransportKind, std::string_view>> names();
template std::span<const std::pair<Observe, std::string_view>> names();
template std::span<const std::pair<InstanceLife, std::string_view>> names();
template std::span<const std::pair<Launch, std::string_view>> names();
template std::span<const std::pair<VerdictRule, std::string_view>> names();
template std::span<const std::pair<StepKind, std::string_view>> names();

template std::string_view type_name<Dtype>();
template std::string_view type_name<Entry>();
template std::string_view type_name<Family>();
template std::string_view type_name<HeavyPlace>();
template std::string_view type_name<Prompt>();
template std::string_view type_name<Ownership>();
template std::string_view type_name<DecodeOwner>();
template std::string_view type_name<PageOrder>();
template std::string_view type_name<Poison>();
template std::string_view type_name<LseForm>();
template std::string_view type_name<WorldKind>();
template std::string_view type_name<TransportKind>();
template std::string_view type_name<Observe>();
template std::string_view type_name<InstanceLife>();
template std::string_view type_name<Launch>();
template std::string_view type_name<VerdictRule>();
template std::string_view type_name<StepKind>();

}  // namespace helixcheck
