// Each check rearranges the case's partials, lets the subject merge both forms and compares lane by
// lane with the bounds of both merges.

#include "property/merge_properties.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <limits>
#include <optional>

#include "generate/case.hpp"
#include "mla/formats.hpp"
#include "property/partial_lanes.hpp"
#include "property/property_result.hpp"
#include "property/span_tolerance.hpp"
#include "property/strength.hpp"
#include "property/variations.hpp"
#include "property/varied_inputs.hpp"

namespace helixcheck {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kShift = 16;   // nats
constexpr float kGaugeSum = 1;  // of a gauge and the one it is exchanged for
constexpr std::int64_t kEmpty = -1;
constexpr std::int64_t kMaxParts = 64;

// The partials named, in that order; kEmpty stands for one without keys.
Partials pick(const Partials& from, const std::vector<std::int64_t>& order) {
  std::vector<std::int64_t> shape = from.o.shape, lse_shape = from.lse.shape;
  shape[0] = lse_shape[0] = std::ssize(order);
  Partials to{Tensor(from.o.dtype, shape), Tensor(Dtype::fp32, lse_shape)};
  const std::int64_t lanes = shape[1] * shape[2], values = lanes * shape[3];
  const auto bytes = static_cast<std::size_t>(values) * size_of(from.o.dtype);
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::byte* out = to.o.bytes.data() + i * bytes;
    if (order[i] != kEmpty) {
      const auto source = static_cast<std::size_t>(order[i]);
      std::memcpy(out, from.o.bytes.data() + source * bytes, bytes);
    }
    for (std::int64_t k = 0; k < values && order[i] == kEmpty; ++k) {
      store_code(from.o.dtype, out, k, encode(from.o.dtype, std::nan("")));
    }
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
      const double lse = order[i] == kEmpty
                             ? -kInfinity
                             : decode(Dtype::fp32, load_code(Dtype::fp32, from.lse.bytes.data(),
                                                             order[i] * lanes + lane));
      store_code(Dtype::fp32, to.lse.bytes.data(), static_cast<std::int64_t>(i) * lanes + lane,
                 encode(Dtype::fp32, lse));
      if (from.gauge.empty()) continue;
      const bool empty = order[i] == kEmpty;
      to.gauge.push_back(empty ? 0 : from.gauge[static_cast<std::size_t>(order[i] * lanes + lane)]);
    }
  }
  return to;
}

std::vector<std::int64_t> numbers(std::int64_t first, std::int64_t end) {
  std::vector<std::int64_t> list;
  for (std::int64_t i = first; i < end; ++i) list.push_back(i);
  return list;
}

class MergeCheck {
 public:
  MergeCheck(const char* name, const Scenario& scenario, const Subject& subject,
             const RunOptions& options)
      : name_(name),
        scenario_(variations::unchanged(scenario)[0].scenario),
        subject_(subject),
        contract_(*contracts_of(subject, options)[static_cast<std::size_t>(Stage::combine)]),
        case_(make_case(scenario)),
        given_(case_->partials()) {}

  PropertyResult permutation();
  PropertyResult association();
  PropertyResult shift();
  PropertyResult gauge();
  PropertyResult empty();

 private:
  // Merges partials with the subject; nullopt after a failure.
  std::optional<TraceStep> merge(const Partials& partials);
  PartialLanes lanes_of(const Partials& partials) const {
    return PartialLanes(partials, scenario_.layout.lse_form);
  }
  // `second` may differ from `first` by what the bounds of both allow, its LSEs besides by `shift`.
  // Lanes with at most `exact_parts` partials that hold keys must agree bit for bit.
  void compare(const TraceStep& first, const PartialLanes& a, const TraceStep& second,
               const PartialLanes& b, double shift, std::int64_t exact_parts);
  void compare_bits(const TraceStep& first, const TraceStep& second, std::int64_t lane);
  Place place(std::int64_t lane) const;
  PropertyResult finish();

  const char* name_;
  const Scenario scenario_;
  const Subject& subject_;
  const Contract& contract_;
  const std::unique_ptr<Inputs> case_;
  const Partials given_;
  ResultTallies tallies_;
  PropertyResult result_;
};

std::optional<TraceStep> MergeCheck::merge(const Partials& partials) {
  if (result_.failure) return std::nullopt;
  Scenario scenario = scenario_;
  scenario.layout.kvp = partials.o.shape[0];
  const VariedInputs inputs(*case_, scenario, partials);
  const Trace trace = take_trace(inputs, subject_, {});
  if (result_.subject_runs++ == 0) result_.output_hash = hash_of(trace);
  result_.failure = trace.error;
  if (trace.error) return std::nullopt;
  return trace.steps.front();
}

Place MergeCheck::place(std::int64_t lane) const {
  Place at;
  at.step = 0;
  at.row = lane / scenario_.problem.num_heads;
  at.head = lane % scenario_.problem.num_heads;
  at.element = 0;
  return at;
}

void MergeCheck::compare_bits(const TraceStep& first, const TraceStep& second, std::int64_t lane) {
  const Problem& p = scenario_.problem;
  const auto offset = static_cast<std::size_t>(lane * p.kv_lora_rank) * size_of(p.dtype);
  tallies_.combined.compare_codes(p.dtype, second.combined.data() + offset,
                                  first.combined.data() + offset, p.kv_lora_rank, place(lane));
  const auto at = static_cast<std::size_t>(lane);
  tallies_.combined_lse.compare_codes(Dtype::fp32, &second.combined_lse[at],
                                      &first.combined_lse[at], 1, place(lane));
}

void MergeCheck::compare(const TraceStep& first, const PartialLanes& a, const TraceStep& second,
                         const PartialLanes& b, double shift, std::int64_t exact_parts) {
  const Problem& p = scenario_.problem;
  const auto latent = static_cast<std::size_t>(p.kv_lora_rank);
  std::vector<double> o(latent), mine(latent), others(latent), was(latent), is(latent);
  for (std::int64_t lane = 0; lane < a.lanes(); ++lane) {
    if (a.holding(lane) <= exact_parts || a.holding(lane) == 0) {
      compare_bits(first, second, lane);
      continue;
    }
    const bounds::SpanResult x = a.merge(contract_, lane, o, mine);
    const bounds::SpanResult y = b.merge(contract_, lane, o, others);
    if (!x.credible || !y.credible) continue;
    const auto at = static_cast<std::size_t>(lane);
    const std::size_t offset = at * latent * size_of(p.dtype);
    decode_to(p.dtype, first.combined.data() + offset, std::span<double>(was));
    decode_to(p.dtype, second.combined.data() + offset, std::span<double>(is));
    Place where = place(lane);
    for (std::size_t j = 0; j < latent; ++j) {
      const double stores = half_ulp(p.dtype, was[j]) + half_ulp(p.dtype, is[j]);
      where.element = static_cast<std::int64_t>(j);
      compare_finite(tallies_.combined, is[j], was[j], mine[j] + others[j] + stores, where);
    }
    where.element = 0;
    const double lse = first.combined_lse[at], moved = second.combined_lse[at];
    const double stores = half_ulp(Dtype::fp32, lse) + half_ulp(Dtype::fp32, moved);
    compare_finite(tallies_.combined_lse, moved - shift, lse, x.lse_error + y.lse_error + stores,
                   where);
  }
}

PropertyResult MergeCheck::finish() {
  result_.taps = results_of(tallies_);
  if (!result_.failure) {
    if (const std::optional<Blame> blame = first_blame(tallies_)) {
      result_.failure = Failure{"relation", *blame};
      result_.failure->blame.stage = Stage::combine;  // the only one that ran
    }
  }
  if (result_.failure) {
    Blame& blame = result_.failure->blame;
    blame.sentence = fmt::format("{}: {}", name_, blame.sentence);
  }
  return result_;
}

PropertyResult MergeCheck::permutation() {
  std::vector<std::int64_t> order = numbers(0, given_.o.shape[0]);
  std::reverse(order.begin(), order.end());
  const Partials reversed = pick(given_, order);
  const auto first = merge(given_), second = merge(reversed);
  if (first && second) {
    const std::int64_t exact = overridden(subject_, HXC_COMBINE) ? 0 : 2;
    compare(*first, lanes_of(given_), *second, lanes_of(reversed), 0, exact);
  }
  return finish();
}

PropertyResult MergeCheck::association() {
  const Partials head = pick(given_, {0, 1});
  const auto first = merge(given_), merged = merge(head);
  if (!first || !merged) return finish();
  std::vector<std::int64_t> order = numbers(1, given_.o.shape[0]);
  Partials grouped = pick(given_, order);
  std::copy(merged->combined.begin(), merged->combined.end(), grouped.o.bytes.begin());
  std::memcpy(grouped.lse.bytes.data(), merged->combined_lse.data(),
              merged->combined_lse.size() * sizeof(float));
  if (!grouped.gauge.empty()) {  // merged statistics are natural LSEs
    std::fill_n(grouped.gauge.begin(), merged->combined_lse.size(), 0.0f);
  }
  const auto second = merge(grouped);
  if (!second) return finish();
  const PartialLanes inner = lanes_of(head);
  PartialLanes outer = lanes_of(grouped);
  const Problem& p = scenario_.problem;
  std::vector<double> o(static_cast<std::size_t>(p.kv_lora_rank)), error(o.size());
  for (std::int64_t lane = 0; lane < inner.lanes(); ++lane) {
    if (inner.holding(lane) == 0) continue;
    bounds::SpanResult exact = inner.merge(contract_, lane, o, error);
    exact.lse_error += half_ulp(Dtype::fp32, std::abs(exact.lse) + exact.lse_error);
    for (std::size_t j = 0; j < o.size(); ++j) {
      error[j] += half_ulp(p.dtype, std::abs(o[j]) + error[j]);
    }
    outer.replace(0, lane, exact, o, error);
  }
  compare(*first, lanes_of(given_), *second, outer, 0, 0);
  return finish();
}

PropertyResult MergeCheck::shift() {
  Partials moved = given_;
  for (std::int64_t i = 0; i < moved.lse.elements(); ++i) {
    std::byte* data = moved.lse.bytes.data();
    const double lse = decode(Dtype::fp32, load_code(Dtype::fp32, data, i));
    store_code(Dtype::fp32, data, i, encode(Dtype::fp32, lse + kShift));
  }
  PartialLanes exact = lanes_of(given_);
  exact.shift(kShift);
  const auto first = merge(given_), second = merge(moved);
  if (first && second) compare(*first, lanes_of(given_), *second, exact, kShift, 0);
  return finish();
}

PropertyResult MergeCheck::gauge() {
  Partials moved = given_;
  for (float& gauge : moved.gauge) gauge = kGaugeSum - gauge;
  const auto first = merge(given_), second = merge(moved);
  if (first && second) compare(*first, lanes_of(given_), *second, lanes_of(moved), 0, 0);
  return finish();
}

PropertyResult MergeCheck::empty() {
  std::vector<std::int64_t> order = numbers(0, given_.o.shape[0]);
  order.insert(order.begin(), kEmpty);
  order.insert(order.begin() + 2, kEmpty);
  order.push_back(kEmpty);
  const auto first = merge(given_), second = merge(pick(given_, order));
  if (!first || !second) return finish();
  const std::int64_t lanes = scenario_.problem.batch() * scenario_.problem.num_heads;
  for (std::int64_t lane = 0; lane < lanes; ++lane) compare_bits(*first, *second, lane);
  return finish();
}

}  // namespace

bool merge_applies(const Scenario& scenario, const Subject& subject) {
  return scenario.problem.entry == Entry::merge && scenario.layout.kvp <= kMaxParts - 3 &&
         strength_of("merge_permutation", subject) != Strength::none;
}

bool merge_association_applies(const Scenario& scenario, const Subject& subject) {
  return merge_applies(scenario, subject) && scenario.layout.kvp > 2;
}

PropertyResult check_merge_permutation(const Scenario& scenario, const Subject& subject,
                                       const RunOptions& options) {
  return repeated_if_failed(options, [&] {
    return MergeCheck("merge_permutation", scenario, subject, options).permutation();
  });
}

PropertyResult check_merge_association(const Scenario& scenario, const Subject& subject,
                                       const RunOptions& options) {
  return repeated_if_failed(options, [&] {
    return MergeCheck("merge_association", scenario, subject, options).association();
  });
}

PropertyResult check_merge_shift(const Scenario& scenario, const Subject& subject,
                                 const RunOptions& options) {
  return repeated_if_failed(
      options, [&] { return MergeCheck("merge_shift", scenario, subject, options).shift(); });
}

bool merge_gauge_applies(const Scenario& scenario, const Subject& subject) {
  return merge_applies(scenario, subject) && scenario.layout.lse_form == LseForm::max_sum;
}

PropertyResult check_merge_gauge(const Scenario& scenario, const Subject& subject,
                                 const RunOptions& options) {
  return repeated_if_failed(
      options, [&] { return MergeCheck("merge_gauge", scenario, subject, options).gauge(); });
}

PropertyResult check_merge_empty(const Scenario& scenario, const Subject& subject,
                                 const RunOptions& options) {
  return repeated_if_failed(
      options, [&] { return MergeCheck("merge_empty", scenario, subject, options).empty(); });
}

}  // namespace helixcheck
