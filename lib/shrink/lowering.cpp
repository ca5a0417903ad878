#include "shrink/lowering.hpp"

#include <algorithm>

namespace helixcheck {
namespace {

std::int64_t round_up(std::int64_t value, std::int64_t unit) {
  return (value + unit - 1) / unit * unit;
}

void tie_heavy_keys(Scenario& scenario) {
  std::vector<HeavyKey>& heavy = scenario.problem.data.heavy;
  std::vector<HeavyKey> kept;
  for (HeavyKey key : heavy) {
    key.head = static_cast<int>(std::min<std::int64_t>(key.head, scenario.problem.num_heads - 1));
    key.kvp_rank = static_cast<int>(std::min<std::int64_t>(key.kvp_rank, scenario.layout.kvp - 1));
    const bool taken = std::any_of(
        kept.begin(), kept.end(), [&key](const HeavyKey& other) { return other.head == key.head; });
    if (!taken) kept.push_back(key);
  }
  heavy = std::move(kept);
}

}  // namespace

std::optional<Scenario> with_rank(const Scenario& scenario, std::size_t cell, std::uint64_t rank) {
  Scenario changed = scenario;
  const std::vector<Cell> all = cells(changed);
  if (cell >= all.size() || !all[cell].set_rank(rank)) return std::nullopt;
  return changed;
}

void tie_together(Scenario& scenario) {
  Problem& p = scenario.problem;
  Layout& layout = scenario.layout;
  if (p.kv_cache_dtype != Dtype::fp8_e4m3) {
    p.kv_cache_dtype = p.dtype;
    p.kv_scale = 1.0;
  }
  p.qk_rope_head_dim = round_up(p.qk_rope_head_dim, 2);
  // No ranks at all are for validation to refuse.
  if (p.entry != Entry::merge && layout.ranks() > 0) {
    p.num_heads = round_up(p.num_heads, layout.ranks());
  }
  if (layout.decode_owner == DecodeOwner::continued && layout.ownership != Ownership::interleaved) {
    layout.decode_owner = DecodeOwner::last;
  }
  if (!p.data.heavy.empty()) tie_heavy_keys(scenario);
}

std::vector<Scenario> lowered(const Scenario& scenario, std::size_t cell, std::uint64_t rank) {
  std::optional<Scenario> changed = with_rank(scenario, cell, rank);
  if (!changed) return {};
  std::vector<Scenario> variants;
  if (changed->layout.ranks() < scenario.layout.ranks() && scenario.problem.entry != Entry::merge) {
    Scenario heads_along = *changed;
    heads_along.problem.num_heads =
        scenario.problem.num_heads / scenario.layout.ranks() * changed->layout.ranks();
    tie_together(heads_along);
    variants.push_back(std::move(heads_along));
  }
  tie_together(*changed);
  variants.push_back(std::move(*changed));
  return variants;
}

std::vector<std::uint64_t> ladder(std::uint64_t number) {
  std::vector<std::uint64_t> rungs;
  for (std::uint64_t left = number; left > 0; left /= 2) rungs.push_back(number - left);
  return rungs;
}

}  // namespace helixcheck
