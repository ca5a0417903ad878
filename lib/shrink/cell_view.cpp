#include "shrink/cell_view.hpp"

#include <algorithm>
#include <array>

namespace helixcheck {
namespace {

constexpr std::int64_t kPairedElements = 8;

bool is_width(const Cell& cell) {
  constexpr std::array<std::string_view, 6> kWidths{"hidden_size",      "q_lora_rank",
                                                    "kv_lora_rank",     "qk_nope_head_dim",
                                                    "qk_rope_head_dim", "v_head_dim"};
  return std::find(kWidths.begin(), kWidths.end(), cell.name) != kWidths.end();
}

}  // namespace

std::vector<CellView> view(const Scenario& scenario) {
  Scenario copy = scenario;
  std::vector<CellView> views;
  for (const Cell& cell : cells(copy)) {
    const bool raisable = cell.is("ctx_len") || cell.is("position_base") || cell.is("num_heads");
    views.push_back({cell.rank(), cell.kind, cell.is("seed"), cell.index < kPairedElements,
                     is_width(cell), raisable});
  }
  return views;
}

std::uint64_t value_rank(const Scenario& base, std::size_t cell, std::uint64_t value) {
  Scenario copy = base;
  return cells(copy)[cell].rank_of(static_cast<std::int64_t>(value));
}

std::uint64_t value_of(const Scenario& base, std::size_t cell) {
  Scenario copy = base;
  return static_cast<std::uint64_t>(cells(copy)[cell].value());
}

bool offer_rank(const Scenario& scenario, std::size_t cell, std::uint64_t rank,
                const Search::Offer& offer) {
  for (Scenario& candidate : lowered(scenario, cell, rank)) {
    if (offer(std::move(candidate))) return true;
  }
  return false;
}

}  // namespace helixcheck
