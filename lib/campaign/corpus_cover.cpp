#include "campaign/corpus_cover.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "scenario/names.hpp"
#include "shrink/cells.hpp"

namespace helixcheck {
namespace {

// A fixed part of each case: without it the cheapest ones would always come first.
constexpr double kFixed_s = 1e-3;

std::string class_of(const Cell& cell) {
  if (cell.kind == CellKind::choice) return cell.text();
  if (cell.is_default()) return "default";
  const double value =
      cell.kind == CellKind::real ? cell.real() : static_cast<double>(cell.value());
  if (value == 0) return "0";
  return fmt::format("{}2^{}", value < 0 ? "-" : "", std::ilogb(value));
}

std::size_t news(const Shown& shown, const Shown& covered) {
  return static_cast<std::size_t>(std::count_if(
      shown.begin(), shown.end(), [&](const std::string& one) { return !covered.contains(one); }));
}

}  // namespace

Shown shown_by(const Scenario& scenario, const std::vector<TapResult>& taps) {
  Shown shown;
  Scenario copy = scenario;
  const std::string entry(name_of(scenario.problem.entry));
  for (const Cell& cell : cells(copy)) {
    if (cell.is("seed")) continue;
    shown.insert(fmt::format("{} {}.{} {}", entry, cell.block, cell.name, class_of(cell)));
  }
  for (const TapResult& tap : taps) {
    const bool finite = tap.worst_ratio > 0 && std::isfinite(tap.worst_ratio);
    shown.insert(
        fmt::format("{} ratio {}", name_of(tap.tap), finite ? std::ilogb(tap.worst_ratio) : -60));
  }
  return shown;
}

std::vector<std::size_t> cover(const std::vector<CoverCandidate>& candidates,
                               const Shown& already) {
  Shown covered = already;
  std::vector<std::size_t> chosen;
  for (;;) {
    std::size_t best = candidates.size();
    double best_worth = 0;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const double worth =
          static_cast<double>(news(candidates[i].shown, covered)) / (kFixed_s + candidates[i].cost);
      if (worth > best_worth) {
        best = i;
        best_worth = worth;
      }
    }
    if (best == candidates.size()) break;
    covered.insert(candidates[best].shown.begin(), candidates[best].shown.end());
    chosen.push_back(best);
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace helixcheck
