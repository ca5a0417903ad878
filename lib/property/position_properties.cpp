// Queries as tapped, keys as read back from the cache; the dot products are taken here, in fp64.

#include "property/position_properties.hpp"

#include <cmath>
#include <fmt/format.h>
#include <numeric>
#include <optional>

#include "generate/case.hpp"
#include "mla/formats.hpp"
#include "property/property_result.hpp"
#include "property/roped_rows.hpp"
#include "property/span_tolerance.hpp"
#include "property/strength.hpp"
#include "property/variations.hpp"
#include "property/varied_inputs.hpp"

namespace helixcheck {
namespace {

constexpr std::int64_t kShift = 1021;                       // positions
constexpr std::int64_t kHalfOfAll = std::int64_t{1} << 30;  // above it the shift goes down

Scenario shifted(const Scenario& scenario) {
  Scenario varied = scenario;
  const bool down = varied.problem.position_base >= kHalfOfAll;
  varied.problem.position_base += down ? -kShift : kShift;
  return varied;
}

class PositionCheck {
 public:
  PositionCheck(const Scenario& scenario, const Subject& subject, const RunOptions& options)
      : base_(variations::unchanged(scenario)[0].scenario),
        varied_(shifted(base_)),
        problem_(base_.problem),
        contract_(*contracts_of(subject, options)[static_cast<std::size_t>(Stage::project)]),
        case_(make_case(scenario)),
        first_(*case_, base_),
        second_(*case_, varied_),
        a_(take_trace(first_, subject, {true, false})),
        b_(take_trace(second_, subject, {true, false})) {}

  PropertyResult check();

 private:
  void compare_request(std::size_t step, std::size_t slot);
  RopedRows keys(const Inputs& inputs, const TraceStep& step, std::size_t slot) const;
  RopedRows queries(const Inputs& inputs, const TraceStep& step, std::int64_t row) const;

  const Scenario base_, varied_;
  const Problem& problem_;
  const Contract& contract_;
  const std::unique_ptr<Inputs> case_;
  const VariedInputs first_, second_;
  const Trace a_, b_;
  Tally scores_;
};

RopedRows PositionCheck::keys(const Inputs& inputs, const TraceStep& step, std::size_t slot) const {
  const std::int64_t tokens = step.requests[slot].tokens;
  const auto width = static_cast<std::size_t>(problem_.kv_lora_rank + problem_.qk_rope_head_dim);
  const std::vector<std::byte> codes =
      keys_by_index(inputs, step, static_cast<std::int64_t>(slot), tokens);
  std::vector<double> rows(static_cast<std::size_t>(tokens) * width);
  decode_to(problem_.kv_cache_dtype, codes.data(), std::span<double>(rows));
  for (double& value : rows) value *= problem_.kv_scale;
  RopedRows roped(inputs, contract_);
  for (std::int64_t index = 0; index < tokens; ++index) {
    const std::span<const double> row(rows.data() + static_cast<std::size_t>(index) * width, width);
    roped.add_key(row.subspan(static_cast<std::size_t>(problem_.kv_lora_rank)),
                  inputs.problem().position_base + index);
  }
  return roped;
}

// Of all heads of one row.
RopedRows PositionCheck::queries(const Inputs& inputs, const TraceStep& step,
                                 std::int64_t row) const {
  const auto width = static_cast<std::size_t>(problem_.kv_lora_rank + problem_.qk_rope_head_dim);
  const auto heads = static_cast<std::size_t>(problem_.num_heads);
  const std::size_t row_bytes = heads * width * size_of(problem_.dtype);
  std::vector<double> values(heads * width);
  decode_to(problem_.dtype, step.query.data() + static_cast<std::size_t>(row) * row_bytes,
            std::span<double>(values));
  const std::int64_t index = step.rows[static_cast<std::size_t>(row)].index;
  RopedRows roped(inputs, contract_);
  for (std::size_t head = 0; head < heads; ++head) {
    const std::span<const double> query(values.data() + head * width, width);
    roped.add_query(query.subspan(static_cast<std::size_t>(problem_.kv_lora_rank)),
                    inputs.problem().position_base + index);
  }
  return roped;
}

double dot(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

void PositionCheck::compare_request(std::size_t number, std::size_t slot) {
  const TraceStep &x = a_.steps[number], &y = b_.steps[number];
  const TraceRequest& request = x.requests[slot];
  const RopedRows keys_a = keys(first_, x, slot), keys_b = keys(second_, y, slot);
  for (std::int64_t row = request.first_row; row < request.first_row + request.row_count; ++row) {
    const RopedRows queries_a = queries(first_, x, row), queries_b = queries(second_, y, row);
    const auto seen = static_cast<std::size_t>(x.rows[static_cast<std::size_t>(row)].index) + 1;
    for (std::size_t head = 0; head < queries_a.size(); ++head) {
      for (std::size_t key = 0; key < seen; ++key) {
        if (!keys_a.known(key) || !keys_b.known(key)) continue;
        if (!queries_a.known(head) || !queries_b.known(head)) continue;
        const double was = dot(queries_a.value(head), keys_a.value(key));
        const double is = dot(queries_b.value(head), keys_b.value(key));
        const double bound = dot_error(queries_a.value(head), queries_a.error(head),
                                       keys_a.value(key), keys_a.error(key)) +
                             dot_error(queries_b.value(head), queries_b.error(head),
                                       keys_b.value(key), keys_b.error(key));
        compare_finite(scores_, is, was, bound,
                       {x.step, request.id, row, static_cast<std::int64_t>(head), -1,
                        static_cast<std::int64_t>(key)});
      }
    }
  }
}

PropertyResult PositionCheck::check() {
  PropertyResult result;
  result.subject_runs = 2;
  result.output_hash = hash_of(a_);
  result.failure = a_.error ? a_.error : b_.error;
  for (std::size_t step = 0; step < a_.steps.size() && !result.failure; ++step) {
    if (a_.steps[step].query.empty() || a_.steps[step].cache.empty()) continue;
    for (std::size_t slot = 0; slot < a_.steps[step].requests.size(); ++slot) {
      if (a_.steps[step].requests[slot].row_count > 0) compare_request(step, slot);
    }
  }
  if (!scores_.empty()) result.taps.push_back(scores_.result(Tap::q));
  if (scores_.failed() && !result.failure) {
    const TapResult r = scores_.result(Tap::q);
    result.failure = Failure{
        "relation",
        Blame{Stage::project, Tap::q, r.worst,
              fmt::format("rope_differences: step {}: with position_base {} instead of {}, the "
                          "roped parts of request {}, row {}, head {} and of key {} have the "
                          "product {:.9g} against {:.9g}; at most {:.3g} apart",
                          r.worst.step, varied_.problem.position_base, problem_.position_base,
                          r.worst.request, r.worst.row, r.worst.head, r.worst.element, r.worst_got,
                          r.worst_want, r.worst_bound)}};
  }
  return result;
}

}  // namespace

bool rope_differences_applies(const Scenario& scenario, const Subject& subject) {
  return scenario.problem.entry == Entry::layer && scenario.problem.prompt == Prompt::computed &&
         sources_fit(scenario) && strength_of("rope_differences", subject) != Strength::none;
}

PropertyResult check_rope_differences(const Scenario& scenario, const Subject& subject,
                                      const RunOptions& options) {
  return repeated_if_failed(options,
                            [&] { return PositionCheck(scenario, subject, options).check(); });
}

}  // namespace helixcheck
