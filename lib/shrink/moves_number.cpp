// Moves on single fields, and on the layout with the prompts that fill it.

#include <algorithm>

#include "shrink/cell_view.hpp"
#include "shrink/moves.hpp"

namespace helixcheck {
namespace {

constexpr std::uint64_t kScanned = 8;    // ranks up to which a field is scanned, not bisected
constexpr std::uint64_t kWindow = 256;   // of period discovery and of the last scan
constexpr std::uint64_t kFewRanks = 16;  // ranks that need no period: the last scan is cheaper
constexpr std::uint64_t kSeeds = 9;      // 42 and 0 to 7

using Offer = Search::Offer;

// Applies `candidates` to each cell that is not at its simplest, as often as that helps.
template <typename CandidatesOf>
bool for_each_cell(Search& search, const CandidatesOf& candidates) {
  bool progress = false;
  for (std::size_t i = 0; i < view(search.current()).size() && !search.stopped(); ++i) {
    while (i < view(search.current()).size()) {
      const CellView cell = view(search.current())[i];
      if (cell.rank == 0 || cell.seed) break;
      const Scenario base = search.current();
      const bool lower =
          search.first_failing([&](const Offer& offer) { candidates(base, i, cell, offer); });
      if (!lower) break;
      progress = true;
    }
  }
  return progress;
}

void bisect_real(const Scenario& base, std::size_t cell, const Offer& offer) {
  for (const std::uint64_t rank : {0u, 1u}) {
    if (offer_rank(base, cell, rank, offer)) return;
  }
  Scenario copy = base;
  for (const double value : shorter_reals(cells(copy)[cell].real())) {
    Scenario candidate = base;
    cells(candidate)[cell].set_real(value);
    if (offer(std::move(candidate))) return;
  }
}

// Tokens dealt or paged together, whose multiples are boundaries.
std::vector<std::uint64_t> units(const Scenario& s) {
  const Layout& layout = s.layout;
  const std::int64_t page = layout.kv_cache_tokens_per_block;
  std::vector<std::uint64_t> all;
  for (const std::int64_t unit :
       {2 * page * layout.kvp, page * layout.kvp, 2 * page, page, layout.interleave * layout.kvp,
        layout.interleave, layout.kvp, layout.ranks(), std::int64_t{128}, std::int64_t{64}}) {
    if (unit > 1) all.push_back(static_cast<std::uint64_t>(unit));
  }
  std::sort(all.begin(), all.end(), std::greater<>());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

std::vector<std::uint64_t> structural_constants(const Scenario& s) {
  std::vector<std::uint64_t> all{1, 2, 3, 4};
  for (const std::uint64_t unit : units(s)) {
    for (const std::uint64_t value : {unit - 1, unit, unit + 1}) all.push_back(value);
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

// How a length moves when its unit changes: whole units are kept or dropped, the remainder is kept
// counted from below or from above, or kept as a share.
std::int64_t rescale(std::int64_t length, std::int64_t unit, std::int64_t smaller, int way) {
  const std::int64_t whole = length / unit, rest = length % unit;
  if (way == 0) return whole * smaller + std::min(rest, smaller - 1);
  if (way == 1)
    return rest == 0 ? whole * smaller
                     : whole * smaller + std::max<std::int64_t>(smaller - unit + rest, 0);
  return length * smaller / unit;
}

// Candidates with `field` of the layout at `rank` and the prompts along, in several units.
bool offer_with_lengths(const Scenario& base, std::size_t cell, std::uint64_t rank,
                        const Offer& offer) {
  for (const Scenario& smaller : lowered(base, cell, rank)) {
    const Layout &from = base.layout, &to = smaller.layout;
    const std::int64_t from_page = from.kv_cache_tokens_per_block;
    const std::int64_t to_page = to.kv_cache_tokens_per_block;
    const std::pair<std::int64_t, std::int64_t> scales[] = {
        {from.kvp * from_page, to.kvp * to_page},
        {from.kvp, to.kvp},
        {from_page, to_page},
        {from.kvp * from.interleave, to.kvp * to.interleave}};
    for (const auto& scale : scales) {
      if (scale.first <= scale.second) continue;
      for (int way = 0; way < 3; ++way) {
        Scenario candidate = smaller;
        for (std::int64_t& length : candidate.problem.ctx_len) {
          length = rescale(length, scale.first, scale.second, way);
        }
        if (offer(std::move(candidate))) return true;
      }
    }
  }
  return false;
}

}  // namespace

bool bisect_each_field(Search& search) {
  return for_each_cell(
      search, [](const Scenario& base, std::size_t i, const CellView& cell, const Offer& offer) {
        if (cell.kind == CellKind::real) return bisect_real(base, i, offer);
        if (cell.kind == CellKind::choice || cell.rank <= kScanned) {
          for (std::uint64_t rank = 0; rank < cell.rank; ++rank) {
            if (offer_rank(base, i, rank, offer)) return;
          }
          return;
        }
        for (const std::uint64_t rank : ladder(cell.rank)) {
          if (offer_rank(base, i, rank, offer)) return;
        }
      });
}

bool try_structural_constants(Search& search) {
  return for_each_cell(
      search, [](const Scenario& base, std::size_t i, const CellView& cell, const Offer& offer) {
        if (cell.kind != CellKind::number || cell.rank <= kScanned) return;
        for (const std::uint64_t value : structural_constants(base)) {
          const std::uint64_t rank = value_rank(base, i, value);
          if (rank < cell.rank && offer_rank(base, i, rank, offer)) return;
        }
      });
}

bool keep_residues(Search& search) {
  return for_each_cell(
      search, [](const Scenario& base, std::size_t i, const CellView& cell, const Offer& offer) {
        if (cell.kind != CellKind::number || cell.rank <= kScanned) return;
        const std::uint64_t value = value_of(base, i);
        for (const std::uint64_t unit : units(base)) {
          for (const std::uint64_t quotient : ladder(value / unit)) {
            const std::uint64_t rank = value_rank(base, i, quotient * unit + value % unit);
            if (rank < cell.rank && offer_rank(base, i, rank, offer)) return;
          }
        }
      });
}

bool shrink_layout_with_lengths(Search& search) {
  return for_each_cell(
      search, [](const Scenario& base, std::size_t i, const CellView& cell, const Offer& offer) {
        Scenario copy = base;
        const Cell named = cells(copy)[i];
        if (!named.is("kvp") && !named.is("kv_cache_tokens_per_block") && !named.is("interleave")) {
          return;
        }
        std::vector<std::uint64_t> ranks = ladder(cell.rank);
        for (std::uint64_t rank = 0; rank < std::min(cell.rank, kScanned); ++rank) {
          ranks.push_back(rank);
        }
        std::sort(ranks.begin(), ranks.end());
        ranks.erase(std::unique(ranks.begin(), ranks.end()), ranks.end());
        for (const std::uint64_t rank : ranks) {
          if (offer_with_lengths(base, i, rank, offer)) return;
        }
      });
}

// A failure that needs an offset into the pool keeps it.
bool shrink_pages_far_out(Search& search) {
  return for_each_cell(
      search, [](const Scenario& base, std::size_t i, const CellView& cell, const Offer& offer) {
        const std::int64_t from = page_elements(base);
        if (base.layout.page_id_base == 0) return;
        for (const std::uint64_t rank : ladder(cell.rank)) {
          for (Scenario& smaller : lowered(base, i, rank)) {
            const std::int64_t to = page_elements(smaller);
            if (to >= from || smaller.layout.page_id_base != base.layout.page_id_base) continue;
            smaller.layout.page_id_base = (base.layout.page_id_base * from + to - 1) / to;
            if (offer(std::move(smaller))) return;
          }
        }
      });
}

bool discover_periods(Search& search) {
  for (std::size_t i = 0; i < view(search.current()).size() && !search.stopped(); ++i) {
    const CellView cell = view(search.current())[i];
    if (cell.kind != CellKind::number || cell.rank <= kFewRanks || cell.seed) continue;
    const Scenario base = search.current();
    const bool found = search.first_failing([&](const Offer& offer) {
      for (std::uint64_t distance = 1; distance <= std::min(kWindow, cell.rank); ++distance) {
        if (offer_rank(base, i, cell.rank - distance, offer)) return;
      }
    });
    if (!found) continue;
    if (view(search.current()).size() <= i) return true;
    const std::uint64_t period = cell.rank - view(search.current())[i].rank;
    bool lower = period > 0;
    while (lower) {
      const Scenario from = search.current();
      const std::uint64_t rank = view(from)[i].rank;
      lower = search.first_failing([&](const Offer& offer) {
        for (const std::uint64_t quotient : ladder(rank / period)) {
          if (offer_rank(from, i, quotient * period + rank % period, offer)) return;
        }
      });
    }
    return true;
  }
  return false;
}

bool simplify_seed(Search& search) {
  const std::vector<CellView> all = view(search.current());
  const auto seed = std::find_if(all.begin(), all.end(), [](const CellView& c) { return c.seed; });
  const auto i = static_cast<std::size_t>(seed - all.begin());
  const Scenario base = search.current();
  return search.first_failing([&](const Offer& offer) {
    for (std::uint64_t rank = 0; rank < std::min(kSeeds, seed->rank); ++rank) {
      if (offer_rank(base, i, rank, offer)) return;
    }
  });
}

// A failure that only some values show needs other ones in a smaller scenario.
bool lower_with_other_seeds(Search& search) {
  const Scenario base = search.current();
  const std::vector<CellView> all = view(base);
  const auto offer_seeds = [](const Scenario& smaller, const Offer& offer) {
    const std::vector<CellView> cells = view(smaller);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (!cells[i].seed) continue;
      for (std::uint64_t rank = 0; rank < kSeeds; ++rank) {
        std::optional<Scenario> candidate = with_rank(smaller, i, rank);
        if (candidate && offer(std::move(*candidate))) return true;
      }
    }
    return false;
  };
  return search.first_failing([&](const Offer& offer) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].seed || all[i].rank == 0) continue;
      for (const std::uint64_t rank : {std::uint64_t{0}, all[i].rank / 2, all[i].rank - 1}) {
        for (const Scenario& smaller : lowered(base, i, rank)) {
          if (offer_seeds(smaller, offer)) return;
        }
      }
    }
  });
}

bool try_every_smaller_value(Search& search) {
  const Scenario base = search.current();
  const std::vector<CellView> all = view(base);
  return search.first_failing([&](const Offer& offer) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      const std::uint64_t most =
          all[i].kind == CellKind::real ? std::min(all[i].rank, kInvertibleReals) : all[i].rank;
      for (std::uint64_t rank = 0; rank < most; ++rank) {
        if (rank == kWindow && most > 2 * kWindow) rank = most - kWindow;
        std::optional<Scenario> candidate = with_rank(base, i, rank);
        if (candidate && offer(std::move(*candidate))) return;
      }
    }
    for (std::size_t batch = 1; batch < std::min<std::size_t>(base.problem.ctx_len.size(), kWindow);
         ++batch) {
      Scenario fewer = base;
      fewer.problem.ctx_len.resize(batch);
      if (offer(std::move(fewer))) return;
    }
  });
}

}  // namespace helixcheck
