// Moves on a scenario's coarse structure: its entry, its requests, many fields at once.

#include <algorithm>
#include <numeric>

#include "shrink/lowering.hpp"
#include "shrink/moves.hpp"
#include "shrink/script_edit.hpp"

namespace helixcheck {
namespace {

using Offer = Search::Offer;

// Without what the entry has no place for.
Scenario at_entry(Scenario s, Entry entry) {
  const Data standard;
  Data& data = s.problem.data;
  s.problem.entry = entry;
  if (entry != Entry::merge) return s;
  s.script.clear();
  s.problem.decode_steps = 1;
  s.problem.predicted_tokens_per_seq = 1;
  s.layout.tpa = 1;
  s.layout.kvp = std::max<std::int64_t>(s.layout.kvp, 2);
  if (data.family != Family::constant) data.family = Family::uniform;
  data.heavy.clear();
  data.k_pe_gain = standard.k_pe_gain;
  data.lse_gap = standard.lse_gap;
  return s;
}

Scenario without_requests(const Scenario& scenario, std::size_t first, std::size_t count) {
  if (scenario.script.empty()) {
    Scenario fewer = scenario;
    auto& lengths = fewer.problem.ctx_len;
    const auto begin = lengths.begin() + static_cast<std::ptrdiff_t>(first);
    lengths.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
    return fewer;
  }
  std::vector<std::int64_t> dropped(count);
  std::iota(dropped.begin(), dropped.end(), static_cast<std::int64_t>(first));
  return with_events(scenario, events_of(scenario), dropped);
}

void offer_fewer_requests(const Scenario& base, const Offer& offer) {
  const std::size_t batch = base.problem.ctx_len.size();
  const auto offer_kept = [&](std::uint64_t kept) {
    return kept > 0 && offer(without_requests(base, kept, batch - kept));
  };
  for (std::uint64_t kept = 1; kept < std::min<std::uint64_t>(batch, 9); ++kept) {
    if (offer_kept(kept)) return;
  }
  for (const std::uint64_t kept : ladder(batch)) {
    if (offer_kept(kept)) return;
  }
  for (std::size_t chunk = batch / 2; chunk > 0; chunk /= 2) {
    for (std::size_t first = 0; first + chunk <= batch && chunk < batch; first += chunk) {
      if (offer(without_requests(base, first, chunk))) return;
    }
  }
}

// At `merge` a request is a row: the rows of a step, drafts and padding, become requests.
Scenario rows_at_merge(const Scenario& scenario) {
  Scenario rows = at_entry(scenario, Entry::merge);
  const auto batch = static_cast<std::int64_t>(scenario.problem.ctx_len.size());
  const std::int64_t drafts = scenario.problem.predicted_tokens_per_seq;
  rows.problem.ctx_len.resize(static_cast<std::size_t>(batch * drafts + rows.layout.padding_rows));
  rows.layout.padding_rows = 0;
  return rows;
}

std::vector<std::size_t> not_simplest(const Scenario& scenario) {
  Scenario copy = scenario;
  std::vector<std::size_t> found;
  const std::vector<Cell> all = cells(copy);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].rank() > 0 && !all[i].is("entry")) found.push_back(i);
  }
  return found;
}

// Presence of rope_scaling goes last: it takes cells away.
Scenario simplest_at(const Scenario& scenario, const std::vector<std::size_t>& which) {
  Scenario simple = scenario;
  const std::vector<Cell> all = cells(simple);
  const Cell* scaling = nullptr;
  for (const std::size_t i : which) {
    if (all[i].is("rope_scaling")) {
      scaling = &all[i];
    } else {
      all[i].set_rank(0);
    }
  }
  if (scaling != nullptr) scaling->set_rank(0);
  tie_together(simple);
  return simple;
}

}  // namespace

bool lower_entry(Search& search) {
  const Scenario base = search.current();
  return search.first_failing([&](const Offer& offer) {
    for (const Entry entry : {Entry::merge, Entry::core}) {
      if (entry <= base.problem.entry) return;  // declared from the most complex on
      if (offer(at_entry(base, entry))) return;
      if (entry == Entry::merge && offer(rows_at_merge(base))) return;
    }
  });
}

bool drop_requests(Search& search) {
  bool progress = false;
  bool lower = true;
  while (lower) {
    const Scenario base = search.current();
    lower = search.first_failing([&](const Offer& offer) { offer_fewer_requests(base, offer); });
    progress |= lower;
  }
  return progress;
}

bool switch_features_off(Search& search) {
  bool progress = false;
  std::size_t chunk = not_simplest(search.current()).size();
  for (; chunk > 1; chunk /= 2) {
    std::size_t first = 0;
    while (true) {
      const Scenario base = search.current();
      const std::vector<std::size_t> complex = not_simplest(base);
      if (first >= complex.size() || search.stopped()) break;
      const auto begin = complex.begin() + static_cast<std::ptrdiff_t>(first);
      const std::size_t count = std::min(chunk, complex.size() - first);
      const std::vector<std::size_t> which(begin, begin + static_cast<std::ptrdiff_t>(count));
      const bool lower =
          search.first_failing([&](const Offer& offer) { offer(simplest_at(base, which)); });
      progress |= lower;
      if (!lower) first += chunk;
    }
  }
  return progress;
}

bool drop_heavy_keys(Search& search) {
  bool progress = false;
  bool lower = true;
  while (lower && !search.current().problem.data.heavy.empty()) {
    const Scenario base = search.current();
    lower = search.first_failing([&](const Offer& offer) {
      Scenario none = base;
      none.problem.data.heavy.clear();
      if (offer(std::move(none))) return;
      for (std::size_t i = 0; i < base.problem.data.heavy.size(); ++i) {
        Scenario fewer = base;
        auto& heavy = fewer.problem.data.heavy;
        heavy.erase(heavy.begin() + static_cast<std::ptrdiff_t>(i));
        if (offer(std::move(fewer))) return;
      }
    });
    progress |= lower;
  }
  return progress;
}

bool equalise_lengths(Search& search) {
  bool progress = false;
  bool lower = search.current().problem.ctx_len.size() > 1;
  while (lower) {
    const Scenario base = search.current();
    std::vector<std::int64_t> lengths = base.problem.ctx_len;
    std::sort(lengths.begin(), lengths.end());
    lengths.erase(std::unique(lengths.begin(), lengths.end()), lengths.end());
    lower = search.first_failing([&](const Offer& offer) {
      const auto offer_all = [&](std::int64_t length) {
        Scenario equal = base;
        std::fill(equal.problem.ctx_len.begin(), equal.problem.ctx_len.end(), length);
        return offer(std::move(equal));
      };
      for (const std::uint64_t rung : ladder(static_cast<std::uint64_t>(lengths.front()))) {
        if (offer_all(static_cast<std::int64_t>(rung))) return;
      }
      for (const std::int64_t length : lengths) {
        if (offer_all(length)) return;
      }
    });
    progress |= lower;
  }
  return progress;
}

}  // namespace helixcheck
