#include "bench/verify.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <limits>
#include <numbers>

#include "mla/formats.hpp"
#include "mla/stages.hpp"
#include "scenario/error.hpp"
#include "verdict/bounds.hpp"
#include "verdict/contract.hpp"

namespace helixcheck::bench {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kHigherOrders = 1.05;
constexpr std::int64_t kManyKeys = 1 << 17;  // of a rank and request: then one request is enough

// What a rank says about one sampled (row, head), as doubles on their way to the root: exact values
// [R], their bounds [R], what the owner's `combined` holds [R] (NaN elsewhere).
struct Partial {
  double lse = -kInfinity, lse_bound = 0;
  double values = 0, wrong = 0, owner = 0;
  std::vector<double> o, bound, combined;
};

std::vector<std::int64_t> sampled_rows(std::int64_t batch, std::int64_t keys) {
  std::vector<std::int64_t> rows = {batch - 1};
  if (keys <= kManyKeys && batch > 1) rows.push_back(0);
  if (keys <= kManyKeys && batch > 2) rows.push_back(batch / 2);
  return rows;
}

std::vector<std::int64_t> sampled_heads(std::int64_t heads) {
  std::vector<std::int64_t> sampled = {heads - 1};
  if (heads > 1) sampled.push_back(heads / 3);
  return sampled;
}

std::vector<double> widened(const RankBuffers& rank, const hxc_tensor& tensor, std::int64_t first,
                            std::int64_t count) {
  std::vector<double> values(static_cast<std::size_t>(count));
  const std::vector<std::byte> codes = rank.elements(tensor, first, count);
  decode_to(static_cast<Dtype>(tensor.dtype), codes.data(), std::span<double>(values));
  return values;
}

// One rank's share of the check.
class RankCheck {
 public:
  RankCheck(const BenchStep& bench, RankBuffers& rank)
      : bench_(bench),
        rank_(rank),
        step_(rank.step()),
        problem_(bench.inputs().problem()),
        contract_(find_contract(bench.subject().contract_of(HXC_ATTEND))) {}

  // One for each head.
  std::vector<Partial> check_row(std::int64_t row, std::span<const std::int64_t> heads) const {
    const std::int64_t latent = problem_.kv_lora_rank, width = latent + problem_.qk_rope_head_dim;
    std::vector<double> q;
    for (const std::int64_t head : heads) {
      const std::vector<double> one =
          widened(rank_, step_.q, (row * problem_.num_heads + head) * width, width);
      q.insert(q.end(), one.begin(), one.end());
    }
    const std::vector<std::byte> codes = rank_.cache_rows(row);
    const std::int64_t visible = rank_.keys();
    const stages::CacheRows keys{problem_.kv_cache_dtype, problem_.kv_scale, codes.data()};
    const stages::AttendResult exact =
        stages::attend(q, keys, {&visible, 1}, std::ssize(heads), latent, problem_.qk_rope_head_dim,
                       bench_.inputs().rope().softmax_scale);
    std::vector<Partial> partials;
    for (std::size_t i = 0; i < heads.size(); ++i) {
      partials.push_back(partial(exact, i));
      Partial& made = partials.back();
      const bool defined = visible > 0 || contract_.empty == EmptyShard::neutral;
      if (defined && bench_.shows(HXC_ATTEND)) hold_against(made, row, heads[i]);
      read_combined(made, row, heads[i]);
    }
    return partials;
  }

 private:
  Partial partial(const stages::AttendResult& exact, std::size_t i) const {
    const auto n = static_cast<std::size_t>(problem_.kv_lora_rank);
    Partial made;
    made.o.assign(exact.o.begin() + static_cast<std::ptrdiff_t>(i * n),
                  exact.o.begin() + static_cast<std::ptrdiff_t>((i + 1) * n));
    made.bound.assign(n, 0);
    if (rank_.keys() == 0) return made;
    bounds::AttendFacts facts;
    facts.head = exact.heads[i];
    facts.visible = rank_.keys();
    facts.width = problem_.kv_lora_rank + problem_.qk_rope_head_dim;
    facts.dtype = problem_.dtype;
    facts.scaled_keys = problem_.kv_scale != 1;
    facts.independent = true;
    const bounds::ValueBound rule = bounds::attend_value(contract_, facts);
    for (std::size_t j = 0; j < n; ++j) {
      made.bound[j] = rule(exact.square[i * n + j], made.o[j], exact.sum_abs_v[j]);
    }
    made.lse = facts.head.lse;
    made.lse_bound = bounds::attend_lse(contract_, facts);
    return made;
  }

  void hold_against(Partial& made, std::int64_t row, std::int64_t head) const {
    const std::int64_t latent = problem_.kv_lora_rank, lane = row * problem_.num_heads + head;
    const std::vector<double> got = widened(rank_, step_.partial_o, lane * latent, latent);
    for (std::size_t j = 0; j < got.size(); ++j) {
      const double most = std::abs(made.o[j]) + made.bound[j];
      const double allowed = made.bound[j] + half_ulp(problem_.dtype, most);
      made.wrong += !(std::abs(got[j] - made.o[j]) <= allowed);
    }
    const std::int64_t statistics = step_.lse.shape[2];
    const std::vector<double> shown = widened(rank_, step_.lse, lane * statistics, statistics);
    double lse = shown[0];
    if (rank_.place().lse_form == HXC_LSE_LOG2) lse *= std::numbers::ln2;
    if (rank_.place().lse_form == HXC_LSE_MAX_SUM) lse += std::log(shown[1]);
    const double allowed = made.lse_bound + 4 * half_ulp(Dtype::fp32, std::abs(made.lse));
    made.wrong += made.lse == -kInfinity ? lse != made.lse : !(std::abs(lse - made.lse) <= allowed);
    made.values += static_cast<double>(got.size() + 1);
  }

  void read_combined(Partial& made, std::int64_t row, std::int64_t head) const {
    const std::int64_t owned = rank_.place().owned_heads, latent = problem_.kv_lora_rank;
    made.combined.assign(static_cast<std::size_t>(latent), 0);
    if (!bench_.shows(HXC_COMBINE) || head / owned != rank_.place().kvp_rank) return;
    made.owner = 1;
    made.combined = widened(rank_, step_.combined, (row * owned + head % owned) * latent, latent);
  }

  const BenchStep& bench_;
  RankBuffers& rank_;
  hxc_step& step_;
  const Problem& problem_;
  const Contract& contract_;
};

void append(const Partial& made, std::vector<double>& out) {
  for (const double value : {made.lse, made.lse_bound, made.values, made.wrong, made.owner}) {
    out.push_back(value);
  }
  for (const auto* values : {&made.o, &made.bound, &made.combined}) {
    out.insert(out.end(), values->begin(), values->end());
  }
}

Partial take(std::span<const double>& in, std::size_t latent) {
  Partial made;
  made.lse = in[0];
  made.lse_bound = in[1];
  made.values = in[2];
  made.wrong = in[3];
  made.owner = in[4];
  in = in.subspan(5);
  for (auto* values : {&made.o, &made.bound, &made.combined}) {
    values->assign(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(latent));
    in = in.subspan(latent);
  }
  return made;
}

// Exact partials merged, against what the head's owner holds. Each partial was rounded, and a wrong
// LSE moves weight between partials.
void check_merge(const BenchStep& bench, std::span<const Partial> partials, Check& check) {
  const auto owner =
      std::find_if(partials.begin(), partials.end(), [](const Partial& p) { return p.owner != 0; });
  if (owner == partials.end()) return;
  const Problem& problem = bench.inputs().problem();
  const auto n = static_cast<std::size_t>(problem.kv_lora_rank);
  std::vector<double> x, lse, o(n), magnitude(n), spread(n);
  bounds::MergeFacts facts;
  facts.form = bench.inputs().scenario().layout.lse_form;
  facts.dtype = problem.dtype;
  double lse_bound = 0, least = kInfinity, most = -kInfinity;
  for (const Partial& p : partials) {
    x.insert(x.end(), p.o.begin(), p.o.end());
    lse.push_back(p.lse);
    if (p.lse == -kInfinity) continue;
    ++facts.parts;
    lse_bound = std::max(lse_bound, p.lse_bound + 4 * half_ulp(Dtype::fp32, std::abs(p.lse)));
    facts.max_size = std::max(facts.max_size, std::abs(p.lse));
    least = std::min(least, p.lse);
    most = std::max(most, p.lse);
  }
  facts.gap = facts.parts > 0 ? most - least : 0;
  facts.lse = stages::merge(x, lse, problem.kv_lora_rank, o, magnitude, spread);
  const bounds::MergeBound merge =
      bounds::merge(find_contract(bench.subject().contract_of(HXC_COMBINE)), facts);
  for (std::size_t j = 0; j < n; ++j) {
    double bound = merge.magnitude * magnitude[j] + (merge.spread + 2 * lse_bound) * spread[j] +
                   merge.underflow;
    for (const Partial& p : partials) {
      if (p.lse == -kInfinity) continue;
      const double stored = p.bound[j] + half_ulp(problem.dtype, std::abs(p.o[j]) + p.bound[j]);
      bound += std::exp(p.lse - facts.lse) * stored;
    }
    bound *= kHigherOrders;
    bound += half_ulp(problem.dtype, std::abs(o[j]) + bound);
    check.wrong += !(std::abs(owner->combined[j] - o[j]) <= bound);
    ++check.values;
  }
}

}  // namespace

Check check_step(BenchStep& bench, Sequence& step) {
  if (!bench.shows(HXC_COMBINE)) {
    throw InputError("subject " + bench.subject().name() +
                     " does not show its merged results, so that bench cannot check them");
  }
  for (const auto& rank : bench.ranks()) rank->spoil_results();
  step.run();
  bench.memory().synchronize();
  const Problem& problem = bench.inputs().problem();
  const auto latent = static_cast<std::size_t>(problem.kv_lora_rank);
  const std::int64_t ctx = problem.ctx_len.front() / bench.world().kvp();
  const std::vector<std::int64_t> rows = sampled_rows(problem.batch(), ctx);
  const std::vector<std::int64_t> heads = sampled_heads(problem.num_heads);
  std::vector<std::vector<double>> told;
  for (const auto& rank : bench.ranks()) {
    std::vector<double>& values = told.emplace_back();
    for (const std::int64_t row : rows) {
      for (const Partial& made : RankCheck(bench, *rank).check_row(row, heads)) {
        append(made, values);
      }
    }
  }
  std::vector<Bytes> local;
  for (const auto& values : told) local.push_back(std::as_bytes(std::span(values)));
  std::vector<std::vector<double>> all;
  for (const Bytes& bytes : bench.world().gather_to_root(local)) {
    all.emplace_back(bytes.size() / sizeof(double));
    std::memcpy(all.back().data(), bytes.data(), bytes.size());
  }
  Check check;
  if (!bench.world().is_root()) return check;
  std::vector<std::span<const double>> rest(all.begin(), all.end());
  for (const std::int64_t row : rows) {
    for (const std::int64_t head : heads) {
      const std::int64_t before = check.wrong;
      std::vector<Partial> partials;
      for (auto& values : rest) {
        partials.push_back(take(values, latent));
        check.values += static_cast<std::int64_t>(partials.back().values);
        check.wrong += static_cast<std::int64_t>(partials.back().wrong);
      }
      const bool attend_wrong = check.wrong > before;
      check_merge(bench, partials, check);
      if (check.wrong > before && check.first.empty()) {
        check.first =
            fmt::format("{}, row {}, head {}", attend_wrong ? "attend" : "combine", row, head);
      }
    }
  }
  return check;
}

}  // namespace helixcheck::bench
