// Moves on two numbers at once, by value: both lowered, or one lowered and another raised.

#include <algorithm>

#include "shrink/cell_view.hpp"
#include "shrink/moves.hpp"

namespace helixcheck {
namespace {

using Offer = Search::Offer;

// One number cell set to a value, with what is tied to it.
bool offer_second(const Scenario& first, std::size_t cell, std::uint64_t value,
                  const Offer& offer) {
  return offer_rank(first, cell, value_rank(first, cell, value), offer);
}

void offer_both_lowered(const Scenario& base, std::size_t i, std::size_t j, const Offer& offer) {
  const std::size_t count = view(base).size();
  const std::uint64_t a = value_of(base, i), b = value_of(base, j);
  const std::uint64_t most = std::min(a, b);
  for (const std::uint64_t by : {most, most / 2, most / 4, std::uint64_t{1}}) {
    if (by == 0) continue;
    for (const Scenario& first : lowered(base, i, value_rank(base, i, a - by))) {
      if (view(first).size() == count && offer_second(first, j, b - by, offer)) return;
    }
  }
}

// Above this, trades by one and by halves would crawl, and raise sizes beyond what a run can hold.
constexpr std::uint64_t kMostTraded = 16;
constexpr std::uint64_t kMostAdded = 1024;

// Number `i` to 0 or 1 and `j` up by as much; a small one also by one, or by half.
void offer_traded(const Scenario& base, std::size_t i, std::size_t j, const Offer& offer) {
  const std::size_t count = view(base).size();
  const std::uint64_t a = value_of(base, i), b = value_of(base, j);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> trades{{0, b + a}, {1, b + a - 1}};
  if (a <= kMostTraded) {
    trades.insert(trades.end(), {{a - 1, b + 1}, {a / 2, 2 * b}, {(a + 1) / 2, 2 * b}});
  }
  for (const auto& trade : trades) {
    if (trade.first >= a || a > kMostAdded) continue;
    for (const Scenario& first : lowered(base, i, value_rank(base, i, trade.first))) {
      if (view(first).size() == count && offer_second(first, j, trade.second, offer)) return;
    }
  }
}

// Numbers along with a smaller batch: lowered by as many or in proportion, or a prompt raised.
bool offer_with_fewer(const Scenario& fewer, std::size_t batch, const Offer& offer) {
  const std::size_t kept = fewer.problem.ctx_len.size();
  const std::uint64_t gone = batch - kept;
  for (std::size_t i = 0; i < std::min<std::size_t>(kept, 9); ++i) {
    Scenario longer = fewer;
    longer.problem.ctx_len[i] += static_cast<std::int64_t>(gone);
    if (offer(std::move(longer))) return true;
  }
  const std::vector<CellView> all = view(fewer);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].kind != CellKind::number || all[i].seed || all[i].rank == 0) continue;
    const std::uint64_t value = value_of(fewer, i);
    if (value > gone && offer_second(fewer, i, value - gone, offer)) return true;
    if (value * kept % batch == 0 && offer_second(fewer, i, value * kept / batch, offer)) {
      return true;
    }
  }
  return false;
}

bool is_number(const CellView& cell) {
  return cell.kind == CellKind::number && !cell.seed;
}

// Applies `candidates` to ordered pairs of numbers of which the first is not at its simplest.
template <typename Wanted, typename CandidatesOf>
bool for_each_pair(Search& search, const Wanted& wanted, const CandidatesOf& candidates) {
  bool progress = false;
  const std::size_t count = view(search.current()).size();
  const auto applies = [&](std::size_t i, std::size_t j) {
    const std::vector<CellView> all = view(search.current());
    return !search.stopped() && std::max(i, j) < all.size() && i != j && is_number(all[i]) &&
           all[i].rank > 0 && is_number(all[j]) && wanted(all[i], all[j], i, j);
  };
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < count; ++j) {
      while (applies(i, j)) {
        const Scenario base = search.current();
        const bool lower =
            search.first_failing([&](const Offer& offer) { candidates(base, i, j, offer); });
        if (!lower) break;
        progress = true;
      }
    }
  }
  return progress;
}

}  // namespace

bool lower_pairs(Search& search) {
  return for_each_pair(
      search,
      [](const CellView&, const CellView& b, std::size_t i, std::size_t j) {
        return b.rank > 0 && i < j;
      },
      offer_both_lowered);
}

bool trade_numbers(Search& search) {
  return for_each_pair(
      search,
      [](const CellView& a, const CellView& b, std::size_t, std::size_t) {
        return !a.width && !b.width && (b.rank > 0 || b.raisable);
      },
      offer_traded);
}

// Choices that are not at their simplest: one lowered, another at any of its other values.
bool trade_choices(Search& search) {
  const Scenario base = search.current();
  Scenario copy = base;
  std::vector<std::size_t> complex;
  const std::vector<Cell> all = cells(copy);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].kind == CellKind::choice && all[i].rank() > 0) complex.push_back(i);
  }
  return search.first_failing([&](const Offer& offer) {
    for (const std::size_t i : complex) {
      for (const std::size_t j : complex) {
        for (std::uint64_t lower = 0; i != j && lower < all[i].rank(); ++lower) {
          const std::optional<Scenario> first = with_rank(base, i, lower);
          if (view(*first).size() != all.size()) continue;
          for (std::uint64_t rank = 0; rank < all[j].values; ++rank) {
            if (offer_rank(*first, j, rank, offer)) return;
          }
        }
      }
    }
  });
}

// A choice at its simplest needs another number than the choice before it did: small ones, and
// those around the present one.
bool trade_choices_for_numbers(Search& search) {
  constexpr std::uint64_t kSmall = 8, kNear = 4;
  const Scenario base = search.current();
  const std::vector<CellView> all = view(base);
  return search.first_failing([&](const Offer& offer) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].kind != CellKind::choice || all[i].rank == 0) continue;
      const std::optional<Scenario> first = with_rank(base, i, 0);
      if (!first || view(*first).size() != all.size()) continue;
      for (std::size_t j = 0; j < all.size(); ++j) {
        if (all[j].kind != CellKind::number || all[j].seed || !all[j].paired) continue;
        for (std::uint64_t rank = 0; rank <= all[j].rank + kNear; ++rank) {
          if (rank > kSmall && rank + kNear < all[j].rank) rank = all[j].rank - kNear;
          if (offer_rank(*first, j, rank, offer)) return;
        }
      }
    }
  });
}

bool trade_requests(Search& search) {
  const Scenario base = search.current();
  const std::size_t batch = base.problem.ctx_len.size();
  if (!base.script.empty()) return false;
  std::vector<std::size_t> sizes;
  for (std::size_t kept = 1; kept < std::min<std::size_t>(batch, 9); ++kept) sizes.push_back(kept);
  if (batch > 9) sizes.insert(sizes.end(), {batch / 2, batch - 1});
  return search.first_failing([&](const Offer& offer) {
    for (const std::size_t kept : sizes) {
      for (const bool last : {false, true}) {
        Scenario fewer = base;
        auto& lengths = fewer.problem.ctx_len;
        const auto gone = static_cast<std::ptrdiff_t>(batch - kept);
        lengths.erase(last ? lengths.begin() : lengths.end() - gone,
                      last ? lengths.begin() + gone : lengths.end());
        if (offer_with_fewer(fewer, batch, offer)) return;
      }
    }
  });
}

}  // namespace helixcheck
