// One run each, with the cache rows it showed.

#include "property/value_properties.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <optional>

#include "generate/case.hpp"
#include "mla/formats.hpp"
#include "property/hull.hpp"
#include "property/property_result.hpp"
#include "property/span_tolerance.hpp"
#include "property/strength.hpp"
#include "property/variations.hpp"
#include "property/varied_inputs.hpp"
#include "scenario/ownership.hpp"
#include "verdict/span_bound.hpp"

namespace helixcheck {
namespace {

bool forks(const Scenario& scenario) {
  return std::any_of(scenario.script.begin(), scenario.script.end(),
                     [](const Step& step) { return step.kind == StepKind::fork; });
}

class ValueCheck {
 public:
  ValueCheck(const char* name, const Scenario& scenario, const Subject& subject,
             const RunOptions& options, const TraceWants& wants)
      : name_(name),
        scenario_(variations::unchanged(scenario)[0].scenario),
        problem_(scenario_.problem),
        geometry_(scenario_),
        contracts_(contracts_of(subject, options)),
        case_(make_case(scenario)),
        inputs_(*case_, scenario_),
        trace_(take_trace(inputs_, subject, wants)) {}

  PropertyResult hulls(bool constant);
  PropertyResult shards();

 private:
  const Contract& contract(Stage stage) const {
    return *contracts_[static_cast<std::size_t>(stage)];
  }
  Place place(const TraceStep& step, std::int64_t row, std::int64_t head) const;
  PropertyResult finish();
  void fail(const Place& place, std::string what);
  void hold(const TraceStep& step, std::int64_t row, std::int64_t head, const Hull& hull,
            std::int64_t parts, std::int64_t keys);
  void request_hulls(const TraceStep& step, std::int64_t slot, bool constant);
  void partial_hulls(const TraceStep& step);
  void request_shards(const TraceStep& step, std::int64_t slot);
  void shard_lane(const TraceStep& step, std::int64_t row, std::int64_t head,
                  std::span<const double> constants, std::span<const std::int64_t> visible);
  std::vector<double> widened_keys(const TraceStep& step, std::int64_t slot) const;

  const char* name_;
  const Scenario scenario_;
  const Problem& problem_;
  const Geometry geometry_;
  const StageContracts contracts_;
  const std::unique_ptr<Inputs> case_;
  const VariedInputs inputs_;
  const Trace trace_;
  ResultTallies tallies_;
  std::optional<Failure> failure_;
};

Place ValueCheck::place(const TraceStep& step, std::int64_t row, std::int64_t head) const {
  Place at;
  at.step = step.step;
  at.request = step.requests.empty() ? -1 : step.rows[static_cast<std::size_t>(row)].request;
  at.row = row;
  at.head = head;
  at.element = 0;
  return at;
}

void ValueCheck::fail(const Place& at, std::string what) {
  if (failure_) return;
  failure_ = Failure{"relation", Blame{Stage::append, Tap::cache_rows, at, std::move(what)}};
}

PropertyResult ValueCheck::finish() {
  PropertyResult result;
  result.subject_runs = 1;
  result.output_hash = hash_of(trace_);
  result.taps = results_of(tallies_);
  result.failure = trace_.error ? trace_.error : failure_;
  if (!result.failure) {
    if (const std::optional<Blame> blame = first_blame(tallies_)) {
      result.failure = Failure{"relation", *blame};
    }
  }
  if (result.failure) {
    Blame& blame = result.failure->blame;
    blame.sentence = fmt::format("{}: {}", name_, blame.sentence);
  }
  return result;
}

// All keys the request holds after the step, [tokens, R + P].
std::vector<double> ValueCheck::widened_keys(const TraceStep& step, std::int64_t slot) const {
  const std::int64_t tokens = step.requests[static_cast<std::size_t>(slot)].tokens;
  const std::vector<std::byte> codes = keys_by_index(inputs_, step, slot, tokens);
  std::vector<double> keys(static_cast<std::size_t>(tokens * geometry_.width));
  decode_to(problem_.kv_cache_dtype, codes.data(), std::span<double>(keys));
  for (double& value : keys) value *= problem_.kv_scale;
  return keys;
}

// The combined values of one row and head against the hull of the `keys` it saw (0: of partials).
void ValueCheck::hold(const TraceStep& step, std::int64_t row, std::int64_t head, const Hull& hull,
                      std::int64_t parts, std::int64_t keys) {
  const auto latent = static_cast<std::size_t>(geometry_.latent);
  const auto lane = static_cast<std::size_t>(row * geometry_.heads + head);
  std::vector<double> got(latent), want(latent), bound(latent);
  decode_to(problem_.dtype, step.combined.data() + lane * latent * size_of(problem_.dtype),
            std::span<double>(got));
  const double lse =
      step.combined_lse.empty() ? 0 : std::abs(static_cast<double>(step.combined_lse[lane]));
  for (std::size_t j = 0; j < latent; ++j) {
    const double size = hull.size(j);
    const double carried = keys > 0 ? mean_error(contract(Stage::attend), problem_, keys, size) : 0;
    bound[j] =
        merged_mean_error(contract(Stage::combine), {scenario_.layout.lse_form, problem_.dtype},
                          parts, std::isfinite(lse) ? lse : 0, size, carried);
    want[j] = std::isnan(got[j]) ? hull.low[j] : std::clamp(got[j], hull.low[j], hull.high[j]);
  }
  tallies_.combined.compare(problem_.dtype, got, want, bound, place(step, row, head));
}

void ValueCheck::request_hulls(const TraceStep& step, std::int64_t slot, bool constant) {
  const TraceRequest& request = step.requests[static_cast<std::size_t>(slot)];
  if (request.row_count == 0) return;
  const std::vector<double> keys = widened_keys(step, slot);
  Hull hull(geometry_.latent);
  std::int64_t seen = 0;
  for (std::int64_t row = request.first_row; row < request.first_row + request.row_count; ++row) {
    const std::int64_t index = step.rows[static_cast<std::size_t>(row)].index;
    for (; seen <= index; ++seen) {
      hull.widen(
          {keys.data() + seen * geometry_.width, static_cast<std::size_t>(geometry_.latent)});
    }
    if (constant && !hull.constant()) {
      return fail(
          place(step, row, -1),
          fmt::format("step {}: keys of request {} hold different values", step.step, request.id));
    }
    for (std::int64_t head = 0; head < geometry_.heads; ++head) {
      hold(step, row, head, hull, geometry_.kvp, seen);
    }
  }
}

void ValueCheck::partial_hulls(const TraceStep& step) {
  const Partials given = inputs_.partials();
  const std::vector<double> o = widen(given.o), lse = widen(given.lse);
  const std::int64_t lanes = problem_.batch() * geometry_.heads, parts = given.o.shape[0];
  const auto latent = static_cast<std::size_t>(geometry_.latent);
  for (std::int64_t lane = 0; lane < lanes; ++lane) {
    Hull hull(geometry_.latent);
    bool any = false;
    for (std::int64_t part = 0; part < parts; ++part) {
      const auto at = static_cast<std::size_t>(part * lanes + lane);
      if (std::isinf(lse[at])) continue;
      any = true;
      hull.widen({o.data() + at * latent, latent});
    }
    if (!any) hull.widen(std::vector<double>(latent, 0.0));
    hold(step, lane / geometry_.heads, lane % geometry_.heads, hull, parts, 0);
  }
}

PropertyResult ValueCheck::hulls(bool constant) {
  if (trace_.error) return finish();
  for (const TraceStep& step : trace_.steps) {
    if (step.combined.empty()) continue;
    if (problem_.entry == Entry::merge) {
      partial_hulls(step);
    } else if (!step.cache.empty()) {
      for (std::size_t slot = 0; slot < step.requests.size(); ++slot) {
        request_hulls(step, static_cast<std::int64_t>(slot), constant);
      }
    }
  }
  return finish();
}

void ValueCheck::shard_lane(const TraceStep& step, std::int64_t row, std::int64_t head,
                            std::span<const double> constants,
                            std::span<const std::int64_t> visible) {
  const std::int64_t rows = std::ssize(step.rows), heads = geometry_.heads;
  const auto latent = static_cast<std::size_t>(geometry_.latent);
  std::vector<std::vector<double>> o, errors;
  std::vector<bounds::SpanPart> parts;
  for (std::int64_t rank = 0; rank < geometry_.kvp; ++rank) {
    const auto at = static_cast<std::size_t>(rank);
    if (visible[at] == 0) continue;
    o.emplace_back(latent, constants[at]);
    errors.emplace_back(latent, mean_error(contract(Stage::attend), problem_, visible[at],
                                           std::abs(constants[at])));
    const double lse = step.lse[static_cast<std::size_t>((rank * rows + row) * heads + head)];
    // The maximum that (max, sum) is written against is below the LSE by log n at most.
    const double gauge = lse - std::log(static_cast<double>(visible[at]));
    parts.push_back({lse, 0, gauge, {}, {}});
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i].o = o[i];
    parts[i].error = errors[i];
  }
  const auto lane = static_cast<std::size_t>(row * heads + head);
  std::vector<double> got(latent), want(latent), bound(latent);
  const bounds::SpanResult result =
      bounds::merged(contract(Stage::combine), {scenario_.layout.lse_form, problem_.dtype},
                     geometry_.kvp, parts, want, bound);
  decode_to(problem_.dtype, step.combined.data() + lane * latent * size_of(problem_.dtype),
            std::span<double>(got));
  tallies_.combined.compare(problem_.dtype, got, want, bound, place(step, row, head));
  if (step.combined_lse.empty()) return;
  tallies_.combined_lse.compare(Dtype::fp32, static_cast<double>(step.combined_lse[lane]),
                                result.lse, result.lse_error, place(step, row, head));
}

void ValueCheck::request_shards(const TraceStep& step, std::int64_t slot) {
  const TraceRequest& request = step.requests[static_cast<std::size_t>(slot)];
  const std::vector<double> keys = widened_keys(step, slot);
  const auto ranks = static_cast<std::size_t>(geometry_.kvp);
  std::vector<double> constants(ranks, std::nan(""));
  for (std::int64_t index = 0; index < request.tokens; ++index) {
    const std::int64_t rank = owner_of(scenario_.layout, index, request.prompt_len);
    double& constant = constants[static_cast<std::size_t>(rank)];
    const double* values = keys.data() + index * geometry_.width;
    if (std::isnan(constant)) constant = values[0];
    if (std::any_of(values, values + geometry_.latent,
                    [&](double value) { return value != constant; })) {
      return fail(place(step, request.first_row, -1),
                  fmt::format("step {}: keys of request {} on KVP rank {} hold different values",
                              step.step, request.id, rank));
    }
  }
  for (std::int64_t row = request.first_row; row < request.first_row + request.row_count; ++row) {
    const std::int64_t index = step.rows[static_cast<std::size_t>(row)].index;
    std::vector<std::int64_t> visible(ranks);
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      visible[rank] = owned_count(scenario_.layout, static_cast<std::int64_t>(rank), index + 1,
                                  request.prompt_len);
    }
    for (std::int64_t head = 0; head < geometry_.heads; ++head) {
      shard_lane(step, row, head, constants, visible);
    }
  }
}

PropertyResult ValueCheck::shards() {
  if (trace_.error) return finish();
  for (const TraceStep& step : trace_.steps) {
    if (step.combined.empty() || step.cache.empty() || step.lse.empty()) continue;
    for (std::size_t slot = 0; slot < step.requests.size(); ++slot) {
      if (step.requests[slot].row_count > 0) request_shards(step, static_cast<std::int64_t>(slot));
    }
  }
  return finish();
}

}  // namespace

bool convexity_applies(const Scenario& scenario, const Subject& subject) {
  return sources_fit(scenario) && strength_of("convexity", subject) != Strength::none;
}

PropertyResult check_convexity(const Scenario& scenario, const Subject& subject,
                               const RunOptions& options) {
  return repeated_if_failed(options, [&] {
    return ValueCheck("convexity", scenario, subject, options, {true, false}).hulls(false);
  });
}

bool constant_value_applies(const Scenario& scenario, const Subject& subject) {
  return scenario.problem.data.family == Family::constant && !forks(scenario) &&
         sources_fit(scenario) && strength_of("constant_value", subject) != Strength::none;
}

PropertyResult check_constant_value(const Scenario& scenario, const Subject& subject,
                                    const RunOptions& options) {
  return repeated_if_failed(options, [&] {
    return ValueCheck("constant_value", scenario, subject, options, {true, false}).hulls(true);
  });
}

bool shard_value_applies(const Scenario& scenario, const Subject& subject) {
  return scenario.problem.data.family == Family::shard_constant && sources_fit(scenario) &&
         strength_of("shard_value", subject) != Strength::none;
}

PropertyResult check_shard_value(const Scenario& scenario, const Subject& subject,
                                 const RunOptions& options) {
  return repeated_if_failed(options, [&] {
    return ValueCheck("shard_value", scenario, subject, options, {true, true}).shards();
  });
}

}  // namespace helixcheck
