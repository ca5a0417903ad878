// A part of the time goes to proposals drawn as an unguided search draws them, so that guidance can
// never cost much more than it wins; a part goes where levels have not met; a part to what is made
// from record holders. Shares are of time, by forecast: what comes close to its bounds is larger
// than most cases, and would take most of the time if proposals were counted.

#include "fuzz/guidance.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "fuzz/climb.hpp"
#include "fuzz/level_cost.hpp"
#include "fuzz/triples.hpp"
#include "generate/cost.hpp"
#include "generate/covering.hpp"
#include "generate/level_draw.hpp"

namespace helixcheck {
namespace {

constexpr std::uint32_t kLane = 7, kSwarmLane = 8;  // of the seed's streams
constexpr std::uint64_t kSwarmBlock = 64;

// Shares of the time. Children get more while they set records; the rest is divided.
constexpr double kFewChildren = 0.15, kMostChildren = 0.4;
constexpr double kPerSuccess = 10;
constexpr double kNovelShare = 0.35;  // of what is no child

// Of a proposal, until some were tried; and the weight of the newest one in the mean.
constexpr double kUsualSeconds = 1e-4, kCostMemory = 1.0 / 256;

constexpr int kCandidates = 2;  // of which the one with most new triples for its cost is taken
constexpr int kDraws = 6;       // of a candidate at most, until one is worth its estimated cost
constexpr int kChildren = 3;    // made at most, until one is worth its cost

// A round of novelty ends when a proposal of it finds less than this share of its triples new.
constexpr double kStale = 0.002;
constexpr double kMemory = 1.0 / 64;  // weight of the newest proposal in the mean

constexpr std::size_t kManyTriples = 500;  // new ones that make a case worth keeping

enum Origin : std::size_t { series, novelty, child };

std::size_t triples_of(std::size_t features) {
  return features * (features - 1) * (features - 2) / 6;
}

}  // namespace

struct Guidance::Impl {
  explicit Impl(std::uint64_t the_seed) : seed(the_seed), covering(covering_array(the_seed)) {}

  Proposal from_covering(std::uint64_t index, Choices& choices) const {
    return finished(genome_from(covering[index], Size::small, choices), "series");
  }

  Proposal from_series(std::uint64_t index, Choices& choices) const {
    CounterChoices swarm(seed, index / kSwarmBlock, kSwarmLane);
    DrawnGenome drawn = draw_genome(choices, draw_swarm(swarm));
    return {std::move(drawn.genome), std::move(drawn.drawn), "series"};
  }

  Selection affordable_selection(Choices& choices) const {
    const LevelCost& cost = LevelCost::get();
    Selection selection;
    for (int left = kDraws; left > 0; --left) {
      selection = draw_selection(~LevelSet(), cost.weights(), choices);
      if (worth_its_cost(cost.seconds(selection), Size::small, choices)) break;
    }
    return selection;
  }

  Proposal novel(Choices& choices) const {
    Selection best;
    double most = -1;
    for (int i = 0; i < kCandidates; ++i) {
      Selection selection = affordable_selection(choices);
      const double gain =
          static_cast<double>(1 + triples.missing(selection)) / LevelCost::get().seconds(selection);
      if (gain <= most) continue;
      most = gain;
      best = std::move(selection);
    }
    return finished(genome_from(best, Size::small, choices), "novelty");
  }

  // Nothing while nobody is worth going on from.
  std::optional<Proposal> child(Choices& choices) const {
    const bool two = choices.below(4) == 0;
    std::optional<Proposal> cheapest;
    double least = 0;
    for (int i = 0; i < kChildren; ++i) {
      const std::optional<Climb::Parent> parent = climb.choose(choices);
      if (!parent) continue;
      const std::optional<Climb::Parent> other = two ? climb.choose(choices) : std::nullopt;
      Genome genome = other ? cross(*parent->genome, *other->genome, choices) : *parent->genome;
      if (!other || choices.below(2) == 0) mutate(genome, choices);
      Proposal made = finished(std::move(genome), other ? "crossover" : "mutation");
      made.parent = parent->cell;
      // Dear parents are chosen less often; their children may cost as much.
      const double cost = std::max(0.0, forecast_seconds(made.drawn.scenario) - parent->cost_s);
      if (worth_its_cost(cost, made.drawn.size, choices)) return made;
      if (cheapest && cost >= least) continue;
      least = cost;
      cheapest = std::move(made);
    }
    return cheapest;
  }

  static Proposal finished(Genome genome, std::string_view origin) {
    DrawnScenario drawn = decode(genome);
    return {std::move(genome), std::move(drawn), origin};
  }

  // Which part of [0, 1) a proposal falls in: shares of the number, from those of the time.
  Origin origin_at(double point) const {
    const double children = std::min(kMostChildren, kFewChildren + kPerSuccess * climb.success());
    const double novel = kNovelShare * (1 - children);
    const double child_parts = children / mean_seconds[Origin::child];
    const double novel_parts = novel / mean_seconds[Origin::novelty];
    const double series_parts = (1 - children - novel) / mean_seconds[Origin::series];
    point *= child_parts + novel_parts + series_parts;
    if (point < child_parts) return Origin::child;
    return point < child_parts + novel_parts ? Origin::novelty : Origin::series;
  }

  Proposal proposal(Origin origin, std::uint64_t index, Choices& choices) const {
    if (origin == Origin::child) {
      if (std::optional<Proposal> made = child(choices)) return *std::move(made);
    }
    return origin == Origin::series ? from_series(index, choices) : novel(choices);
  }

  void note_cost(const Proposal& made) {
    const Origin origin = made.parent                ? Origin::child
                          : made.origin == "novelty" ? Origin::novelty
                                                     : Origin::series;
    double& mean = mean_seconds[origin];
    mean += kCostMemory * (forecast_seconds(made.drawn.scenario) - mean);
  }

  // How many of its triples were never tried before.
  std::size_t learn_triples(const Selection& selection, bool novel_one) {
    const Triples::Added added = triples.add(selection);
    if (!novel_one) return added.ever;
    freshness += kMemory * (static_cast<double>(added.in_round) - freshness);
    if (freshness < kStale * static_cast<double>(triples_of(selection.size()))) {
      triples.start_round();
      freshness = static_cast<double>(triples_of(selection.size()));
    }
    return added.ever;
  }

  std::optional<Discovery> learn(const Genome& genome, const DrawnScenario& drawn,
                                 std::span<const TapResult> taps, std::string_view origin,
                                 std::optional<std::size_t> parent) {
    const std::size_t new_triples = learn_triples(drawn.selection, origin == "novelty");
    std::string reason =
        climb.learn(genome, drawn.selection, taps, forecast_seconds(drawn.scenario), parent);
    if (reason.empty() && new_triples >= kManyTriples)
      reason = fmt::format("{} new triples", new_triples);
    if (reason.empty()) return std::nullopt;
    ++kept;
    return Discovery{genome, {taps.begin(), taps.end()}, std::move(reason)};
  }

  std::uint64_t seed;
  std::vector<Selection> covering;
  Triples triples;
  std::array<double, 3> mean_seconds{kUsualSeconds, kUsualSeconds, kUsualSeconds};  // by Origin
  double freshness = static_cast<double>(triples_of(features().size()));  // mean of new triples
  Climb climb;
  std::uint64_t kept = 0;
};

Guidance::Guidance(std::uint64_t seed) : impl_(std::make_unique<Impl>(seed)) {}

Guidance::~Guidance() = default;

Proposal Guidance::propose(std::uint64_t index) {
  CounterChoices choices(impl_->seed, index, kLane);
  if (index < impl_->covering.size()) return impl_->from_covering(index, choices);
  constexpr std::uint64_t kParts = 1 << 16;
  const double point = static_cast<double>(choices.below(kParts)) / kParts;
  return impl_->proposal(impl_->origin_at(point), index, choices);
}

std::optional<Discovery> Guidance::learn(const Proposal& tried, std::span<const TapResult> taps) {
  impl_->note_cost(tried);
  return impl_->learn(tried.genome, tried.drawn, taps, tried.origin, tried.parent);
}

void Guidance::learn(const Discovery& from_elsewhere) {
  impl_->learn(from_elsewhere.genome, decode(from_elsewhere.genome), from_elsewhere.taps, "corpus",
               std::nullopt);
}

GuidanceTotals Guidance::totals() const {
  return {impl_->triples.size(), impl_->climb.behaviours(), impl_->kept};
}

}  // namespace helixcheck
