// Rows that agree to the bit are done; only the others are given bounds.

#include "property/trace_compare.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fmt/format.h>

#include "mla/formats.hpp"

namespace helixcheck {
namespace {

// Row `row` of an array of codes with `row_bytes` each.
const std::byte* row_of(const std::vector<std::byte>& codes, std::size_t row,
                        std::size_t row_bytes) {
  return codes.data() + row * row_bytes;
}

class Comparer {
 public:
  Comparer(const TracedRun& first, const TracedRun& second, const ComparisonRules& rules)
      : first_(first),
        second_(second),
        rules_(rules),
        problem_(first.inputs.problem()),
        latent_(static_cast<std::size_t>(problem_.kv_lora_rank)),
        heads_(static_cast<std::size_t>(problem_.num_heads)) {}

  void compare_rows(const TraceRow& a, const TraceRow& b);
  void report_lost(const TraceRow& row);
  Comparison take();

 private:
  void compare_bits(const TraceRow& a, const TraceRow& b);
  void compare_bounded(const TraceRow& a, const TraceRow& b);
  void compare_lane(const TraceRow& a, const TraceRow& b, std::size_t head);
  const TraceStep& step(const TracedRun& run, const TraceRow& row) const {
    return run.trace.steps[row.step];
  }
  Place place(const TraceRow& row, std::int64_t head) const {
    const TraceStep& at = step(first_, row);
    Place place;
    place.step = at.step;
    place.request = at.requests.empty() ? -1 : at.rows[row.row].request;
    place.row = static_cast<std::int64_t>(row.row);
    place.head = head;
    place.element = 0;
    return place;
  }

  const TracedRun& first_;
  const TracedRun& second_;
  const ComparisonRules& rules_;
  const Problem& problem_;
  const std::size_t latent_, heads_;
  Comparison result_;
};

void Comparer::report_lost(const TraceRow& row) {
  if (result_.blame) return;
  const Place lost = place(row, -1);
  result_.blame = Blame{std::nullopt, std::nullopt, lost,
                        fmt::format("row {} of step {} is missing", lost.row, lost.step)};
}

void Comparer::compare_bits(const TraceRow& a, const TraceRow& b) {
  const TraceStep &x = step(first_, a), &y = step(second_, b);
  const std::size_t lane_bytes = latent_ * size_of(problem_.dtype);
  for (std::size_t head = 0; head < heads_; ++head) {
    const Place at = place(a, static_cast<std::int64_t>(head));
    if (!x.combined.empty() && !y.combined.empty()) {
      result_.tallies.combined.compare_codes(
          problem_.dtype, row_of(y.combined, b.row * heads_ + head, lane_bytes),
          row_of(x.combined, a.row * heads_ + head, lane_bytes), problem_.kv_lora_rank, at);
    }
    if (!x.combined_lse.empty() && !y.combined_lse.empty()) {
      result_.tallies.combined_lse.compare_codes(Dtype::fp32,
                                                 &y.combined_lse[b.row * heads_ + head],
                                                 &x.combined_lse[a.row * heads_ + head], 1, at);
    }
  }
  if (!rules_.outputs || x.output.empty() || y.output.empty()) return;
  const auto row_bytes = static_cast<std::size_t>(problem_.hidden_size) * size_of(problem_.dtype);
  result_.tallies.output.compare_codes(problem_.dtype, row_of(y.output, b.row, row_bytes),
                                       row_of(x.output, a.row, row_bytes), problem_.hidden_size,
                                       place(a, -1));
}

// Both stored values are the rounding of something within their run's bound of the same number,
// which is finite: a NaN agrees with nothing, not even with another NaN.
void Comparer::compare_lane(const TraceRow& a, const TraceRow& b, std::size_t head) {
  const auto signed_head = static_cast<std::int64_t>(head);
  const SpanTolerance::Lane x = first_.tolerance.lane(a.step, a.row, signed_head);
  const SpanTolerance::Lane y = second_.tolerance.lane(b.step, b.row, signed_head);
  if (!x.credible || !y.credible) return;
  const TraceStep &at = step(first_, a), &other = step(second_, b);
  Place where = place(a, signed_head);
  const std::size_t from = a.row * heads_ + head, to = b.row * heads_ + head;
  if (!at.combined_lse.empty() && !other.combined_lse.empty()) {
    const double want = at.combined_lse[from], got = other.combined_lse[to];
    const double stores = half_ulp(Dtype::fp32, want) + half_ulp(Dtype::fp32, got);
    compare_finite(result_.tallies.combined_lse, got, want, x.lse + y.lse + stores, where);
  }
  if (at.combined.empty() || other.combined.empty()) return;
  const Dtype dtype = problem_.dtype;
  for (std::size_t j = 0; j < latent_; ++j) {
    const auto element = static_cast<std::int64_t>(j);
    const std::size_t bytes = latent_ * size_of(dtype);
    const double want = decode(dtype, load_code(dtype, row_of(at.combined, from, bytes), element));
    const double got = decode(dtype, load_code(dtype, row_of(other.combined, to, bytes), element));
    const double stores = half_ulp(dtype, want) + half_ulp(dtype, got);
    where.element = element;
    compare_finite(result_.tallies.combined, got, want, x.value[j] + y.value[j] + stores, where);
  }
}

void Comparer::compare_bounded(const TraceRow& a, const TraceRow& b) {
  if (!first_.tolerance.known(a.step) || !second_.tolerance.known(b.step)) return;
  const TraceStep &x = step(first_, a), &y = step(second_, b);
  const std::size_t bytes = latent_ * heads_ * size_of(problem_.dtype);
  const bool same =
      x.combined.size() >= bytes && y.combined.size() >= bytes && !x.combined_lse.empty() &&
      !y.combined_lse.empty() &&
      std::memcmp(row_of(x.combined, a.row, bytes), row_of(y.combined, b.row, bytes), bytes) == 0 &&
      std::memcmp(&x.combined_lse[a.row * heads_], &y.combined_lse[b.row * heads_],
                  heads_ * sizeof(float)) == 0 &&
      std::all_of(&x.combined_lse[a.row * heads_], &x.combined_lse[(a.row + 1) * heads_ - 1] + 1,
                  [](float lse) { return std::isfinite(lse); });
  if (same) {
    result_.tallies.combined.count_equal(static_cast<std::int64_t>(latent_ * heads_));
    return result_.tallies.combined_lse.count_equal(static_cast<std::int64_t>(heads_));
  }
  if (const std::optional<Tap> source = source_difference(first_, a, second_, b)) {
    if (rules_.sources_are_free || result_.blame) return;
    result_.blame = Blame{stage_of(*source), *source, place(a, -1),
                          fmt::format("step {}: {} of request {}, row {} has other bits", x.step,
                                      name_of(*source), place(a, -1).request, a.row)};
    return;
  }
  for (std::size_t head = 0; head < heads_; ++head) compare_lane(a, b, head);
}

void Comparer::compare_rows(const TraceRow& a, const TraceRow& b) {
  if (rules_.strength == Strength::bits) {
    compare_bits(a, b);
  } else {
    compare_bounded(a, b);
  }
}

Comparison Comparer::take() {
  if (!result_.blame) result_.blame = first_blame(result_.tallies);
  return result_;
}

}  // namespace

std::optional<Tap> source_difference(const TracedRun& a, const TraceRow& row_a, const TracedRun& b,
                                     const TraceRow& row_b) {
  const TraceStep &x = a.trace.steps[row_a.step], &y = b.trace.steps[row_b.step];
  if (!x.query.empty() && !y.query.empty()) {
    const Problem& p = a.inputs.problem();
    const auto bytes =
        static_cast<std::size_t>(p.num_heads * (p.kv_lora_rank + p.qk_rope_head_dim)) *
        size_of(p.dtype);
    if (std::memcmp(row_of(x.query, row_a.row, bytes), row_of(y.query, row_b.row, bytes), bytes)) {
      return Tap::q;
    }
  }
  if (x.cache.empty() || y.cache.empty()) return std::nullopt;
  const Row &named_a = x.rows[row_a.row], &named_b = y.rows[row_b.row];
  const std::int64_t seen = named_a.index + 1;
  const bool same = keys_by_index(a.inputs, x, named_a.slot, seen) ==
                    keys_by_index(b.inputs, y, named_b.slot, seen);
  if (!same) return Tap::cache_rows;
  return std::nullopt;
}

Comparison compare(const TracedRun& first, const TracedRun& second, const ComparisonRules& rules) {
  Comparer comparer(first, second, rules);
  const std::vector<TraceRow> a = rows_of(first.trace), b = rows_of(second.trace);
  std::size_t i = 0, j = 0;
  while (i < a.size()) {
    while (j < b.size() && before(b[j].token, a[i].token)) ++j;
    if (j < b.size() && b[j].token == a[i].token) {
      comparer.compare_rows(a[i], b[j++]);
    } else if (!rules.prefix) {
      comparer.report_lost(a[i]);
    }
    ++i;
  }
  return comparer.take();
}

}  // namespace helixcheck
