// One row at a time (AETG: Cohen, Dalal, Fredman, Patton, "The AETG system", IEEE TSE 1997).

#include "generate/covering.hpp"

#include <algorithm>
#include <cassert>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>

#include "generate/compatibility.hpp"
#include "generate/cost.hpp"

namespace helixcheck {
namespace {

constexpr std::uint32_t kCoveringLane = 2;  // of the seed's streams
constexpr int kCandidates = 6;              // rows tried for each one taken
constexpr int kMostCandidates = 60;         // while none of them is affordable
constexpr double kAffordable_s = 5e-3;

class Covering {
 public:
  explicit Covering(std::uint64_t seed)
      : choices_(seed, 0, kCoveringLane), levels_(level_count()), open_(levels_ * levels_) {
    for (std::size_t a = 0; a < levels_; ++a) {
      for (std::size_t b = a + 1; b < levels_; ++b) {
        if (may_meet(a, b)) open_[a * levels_ + b] = true;
      }
    }
    std::size_t at = 0;
    while ((at = next_open(at)) < open_.size()) take(affordable_row(at));
  }

  std::vector<Selection> rows() { return std::move(rows_); }

 private:
  static bool may_meet(std::size_t a, std::size_t b) { return Compatibility::get().together(a, b); }
  std::size_t next_open(std::size_t at) const {
    while (at < open_.size() && !open_[at]) ++at;
    return at;
  }
  bool is_open(std::size_t a, std::size_t b) const {
    return a < b ? open_[a * levels_ + b] : open_[b * levels_ + a];
  }

  struct Row {
    std::vector<std::size_t> levels;
    Selection selection;
    std::int64_t gain = 0;  // pairs it covers first
  };

  // Of some rows that start from one pair: the one that covers most, among those that do not cost
  // too much; else the cheapest.
  Row affordable_row(std::size_t pair) {
    Row best;
    double cheapest = std::numeric_limits<double>::infinity();
    for (int i = 0; i < kCandidates || (i < kMostCandidates && cheapest > kAffordable_s); ++i) {
      Row row = make_row(pair);
      const double cost =
          std::max(kAffordable_s, forecast_seconds(realise(row.selection, choices_, Size::small)));
      if (cost > cheapest || (cost == cheapest && row.gain <= best.gain)) continue;
      cheapest = cost;
      best = std::move(row);
    }
    return best;
  }

  Row make_row(std::size_t pair) {
    Row row{{pair / levels_, pair % levels_}, Selection(features().size(), 0), 1};
    for (const std::size_t feature : feature_order(row.levels)) {
      row.gain += add_best_level(feature, row.levels);
    }
    for (const std::size_t level : row.levels) {
      const std::size_t feature = feature_of(level);
      row.selection[feature] = static_cast<std::uint8_t>(level - first_level(feature));
    }
    return row;
  }

  void take(Row row) {
    for (const std::size_t a : row.levels) {
      for (const std::size_t b : row.levels) {
        if (a < b) open_[a * levels_ + b] = false;
      }
    }
    rows_.push_back(std::move(row.selection));
  }

  // Those without a level yet; the entry first, since it rules most others out.
  std::vector<std::size_t> feature_order(const std::vector<std::size_t>& chosen) {
    std::vector<std::size_t> order;
    for (std::size_t f = 0; f < features().size(); ++f) {
      if (f != feature_of(chosen[0]) && f != feature_of(chosen[1])) order.push_back(f);
    }
    const std::size_t fixed = order.front() == 0 ? 1 : 0;
    for (std::size_t i = order.size(); i > fixed + 1; --i) {
      std::swap(order[i - 1], order[fixed + choices_.below(i - fixed)]);
    }
    return order;
  }

  // One that goes with all chosen so far; the plainest such one where none covers anything new.
  // There always is one: the entry comes first, and other plain levels go with everything. Returns
  // how many pairs that covers.
  std::int64_t add_best_level(std::size_t feature, std::vector<std::size_t>& chosen) {
    std::size_t best = level_count();
    std::int64_t most = 0;
    std::uint64_t ties = 0;
    for (std::size_t l = 0; l < features()[feature].levels.size(); ++l) {
      const std::size_t level = first_level(feature) + l;
      std::int64_t gain = 0;
      bool fits = true;
      for (const std::size_t other : chosen) {
        fits = fits && may_meet(level, other);
        gain += is_open(level, other) ? 1 : 0;
      }
      if (!fits) continue;
      if (best == level_count()) best = level;
      if (gain == 0 || gain < most) continue;
      ties = gain == most ? ties + 1 : 1;
      if (gain > most || choices_.below(ties) == 0) best = level;
      most = gain;
    }
    assert(best < level_count());
    chosen.push_back(best);
    return most;
  }

  CounterChoices choices_;
  std::size_t levels_;
  std::vector<bool> open_;  // pairs (a < b) still to be covered
  std::vector<Selection> rows_;
};

}  // namespace

std::vector<Selection> covering_array(std::uint64_t seed) {
  // A worker that starts asks twice for the same one.
  static std::mutex guard;
  static std::optional<std::pair<std::uint64_t, std::vector<Selection>>> last;
  const std::lock_guard lock(guard);
  if (!last || last->first != seed) last.emplace(seed, Covering(seed).rows());
  return last->second;
}

}  // namespace helixcheck
