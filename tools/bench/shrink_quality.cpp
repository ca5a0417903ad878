// How well the shrinker shrinks, without running anything: for each planted predicate and seed,
// draw scenarios until one fails, shrink it, and judge the result.
//
// Locally minimal means here: no smaller value of any single cell (shrink/cells.hpp), nor a shorter
// batch, still fails; every smaller value is tried, up to 2^20 of each, by this program and not by
// the shrinker. Every predicate runs beside a decoy, a second failure with another signature;
// slippage is the share of results that show the decoy instead.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <random>

#include "generate/scenario_draw.hpp"
#include "planted_predicates.hpp"
#include "scenario/json.hpp"
#include "scenario/validate.hpp"
#include "shrink/cells.hpp"
#include "shrink/lowering.hpp"
#include "shrink/order.hpp"
#include "shrink/shrinker.hpp"

namespace helixcheck {
namespace {

constexpr std::uint64_t kMostCases = 100000;  // drawn before a predicate counts as not found
constexpr std::uint64_t kMostRanks = 1 << 20;

struct Options {
  std::uint64_t seeds = 100;
  std::int64_t evaluations = 20000;
  int jobs = 1;
  std::string only;
  bool show = false;
};

bool decoy(const Scenario& s) {
  return s.problem.batch() == 1 && s.problem.ctx_len[0] <= 2;
}

std::optional<Signature> signature_of(const Planted& planted, const Scenario& s) {
  if (planted.fails(s)) return Signature{"planted", "predicate", "value", "attend"};
  if (decoy(s)) return Signature{"planted", "predicate", "value", "plan"};
  return std::nullopt;
}

bool still_fails(const Planted& planted, const Scenario& candidate) {
  return !find_error(candidate) && planted.fails(candidate);
}

// The field that can be lowered alone; "" if there is none.
std::string lowerable(const Planted& planted, const Scenario& minimal) {
  Scenario copy = minimal;
  const std::vector<Cell> all = cells(copy);
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::uint64_t rank = 0; rank < std::min(all[i].rank(), kMostRanks); ++rank) {
      const std::optional<Scenario> candidate = with_rank(minimal, i, rank);
      if (!candidate) break;
      if (still_fails(planted, *candidate))
        return fmt::format("{} to rank {}", all[i].path(), rank);
    }
  }
  for (std::int64_t batch = 1; batch < minimal.problem.batch(); ++batch) {
    Scenario fewer = minimal;
    fewer.problem.ctx_len.resize(static_cast<std::size_t>(batch));
    if (still_fails(planted, fewer)) return fmt::format("batch to {}", batch);
  }
  return "";
}

struct Score {
  std::vector<std::int64_t> cases, evaluations;
  std::map<std::string, std::pair<int, std::string>> finals;  // by text: how often, what lowers it
  int slipped = 0, capped = 0;
};

Score measure(const Planted& planted, const Options& options) {
  Score score;
  for (std::uint64_t seed = 0; seed < options.seeds; ++seed) {
    const ScenarioSeries series(seed);
    std::uint64_t index = 0;
    Scenario failing;
    do {
      failing = series.draw(index++).scenario;
    } while (!planted.fails(failing) && index < kMostCases);
    if (!planted.fails(failing)) continue;
    score.cases.push_back(static_cast<std::int64_t>(index));
    const FailingWith fails_with = [&](const Scenario& s) { return signature_of(planted, s); };
    const Signature signature = *signature_of(planted, failing);
    ShrinkLimits limits;
    limits.evaluations = options.evaluations;
    limits.jobs = options.jobs;
    const ShrinkResult result = shrink(failing, signature, fails_with, limits);
    score.evaluations.push_back(result.evaluations);
    score.capped += !result.stopped_by.empty();
    score.slipped += signature_of(planted, result.scenario) != signature;
    auto& final = score.finals[print_scenario(result.scenario)];
    if (final.first++ == 0) final.second = lowerable(planted, result.scenario);
  }
  std::sort(score.cases.begin(), score.cases.end());
  std::sort(score.evaluations.begin(), score.evaluations.end());
  return score;
}

std::int64_t quantile(const std::vector<std::int64_t>& sorted, double share) {
  if (sorted.empty()) return 0;
  const double last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<std::size_t>(share * last + 0.5)];
}

double percent(std::int64_t part, std::size_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

void print_row(const Planted& planted, const Score& score, const Options& options) {
  const std::size_t found = score.cases.size();
  std::int64_t minimal = 0, sum = 0;
  for (const auto& [text, final] : score.finals) minimal += final.second.empty() ? final.first : 0;
  for (const std::int64_t evaluations : score.evaluations) sum += evaluations;
  fmt::print("| `{}` | {} | {:.0f} | {} | {:.0f} | {} | {} | {:.0f} | {} | {:.0f} | {:.0f} |\n",
             planted.name, planted.source, percent(static_cast<std::int64_t>(found), options.seeds),
             quantile(score.cases, 0.5), static_cast<double>(sum) / std::max<double>(1, found),
             quantile(score.evaluations, 0.95), quantile(score.evaluations, 1),
             percent(minimal, found), score.finals.size(), percent(score.slipped, found),
             percent(score.capped, found));
  if (!options.show) return;
  for (const auto& [text, final] : score.finals) {
    fmt::print("{} times{}\n{}\n", final.first,
               final.second.empty() ? "" : ", could lower " + final.second, text);
  }
}

void measure_all(const Options& options) {
  fmt::print(
      "| predicate | source | found % | cases to find, median | evaluations to shrink, mean | p95 "
      "| max | locally minimal % | distinct finals | slippage % | capped % |\n"
      "|---|---|---|---|---|---|---|---|---|---|---|\n");
  for (const Planted& planted : planted_predicates()) {
    if (std::string(planted.name).find(options.only) == std::string::npos) continue;
    print_row(planted, measure(planted, options), options);
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace helixcheck

int main(int argc, char** argv) {
  helixcheck::Options options;
  CLI::App app("Scores of the scenario shrinker on planted predicates, as a Markdown table");
  app.add_option("--seeds", options.seeds, "failures per predicate");
  app.add_option("--evaluations", options.evaluations, "cap of one shrink");
  app.add_option("--jobs", options.jobs, "candidates evaluated at once")->check(CLI::Range(1, 64));
  app.add_option("--only", options.only, "predicates whose name contains this");
  app.add_flag("--show", options.show, "print every distinct final");
  CLI11_PARSE(app, argc, argv);
  helixcheck::measure_all(options);
  return 0;
}
