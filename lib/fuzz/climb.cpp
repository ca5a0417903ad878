// Records rise by steps of a quarter octave, so that noise does not count as progress.

#include "fuzz/climb.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace helixcheck {
namespace {

constexpr int kLowestBucket = -60, kBuckets = 61;  // what passes is at most 1

constexpr double kClose = 0.7;           // a ratio above this is close to the bound
constexpr std::uint32_t kClosePer = 50;  // ordinary, if more than one case in so many is

const double kStep = std::exp2(0.25);
constexpr double kMostWon = 3;        // octaves, so that one jump does not keep all attention
constexpr double kForget = 0.95;      // of a cell's energy, for each child without a record
constexpr double kMemory = 1.0 / 64;  // weight of the newest child in `success`
constexpr double kBaseline = 0.05;    // what a cell without energy is worth
constexpr double kUsual_s = 60e-6;    // dearer holders are chosen less often
constexpr double kHot = 20;           // times what a cell without energy may spend, for each octave
constexpr int kContenders = 6;

}  // namespace

int ratio_bucket(double ratio) {
  if (!(ratio > 0)) return kLowestBucket;
  return std::max(kLowestBucket, static_cast<int>(std::floor(std::log2(ratio))));
}

Climb::Climb()
    : levels_(level_count()),
      cells_(kTapCount * (levels_ + 1)),
      seen_(static_cast<std::size_t>(kTapCount) * kBuckets) {}

bool Climb::Cell::saturated() const {
  return close > 1 + cases / kClosePer;
}

double Climb::Cell::worth() const {
  if (saturated()) return 0;
  const double height = 1 / (1 - std::log2(std::min(1.0, std::max(ratio, 0x1p-60))));
  return (kBaseline + energy) * height * std::sqrt(kUsual_s / std::max(cost_s, kUsual_s));
}

// Children cost about what their parent did. Dear ones are for cells where records fall.
bool Climb::affordable(const Cell& one, Choices& choices) {
  constexpr std::uint64_t kParts = 1 << 20;
  const double share = kUsual_s * (1 + kHot * one.energy) / std::max(one.cost_s, kUsual_s);
  return static_cast<double>(choices.below(kParts)) < share * kParts;
}

std::optional<Climb::Parent> Climb::choose(Choices& choices) const {
  if (occupied_.empty()) return std::nullopt;
  const bool over_all = choices.below(2) == 0;  // records over all cases, half of the time
  const std::vector<std::size_t>& from = over_all ? occupied_over_all_ : occupied_;
  const Cell* best = nullptr;
  double most = 0;
  for (int i = 0; i < kContenders; ++i) {
    const Cell& other = cells_[from[choices.below(from.size())]];
    const double worth = other.worth();
    if (worth <= most) continue;
    most = worth;
    best = &other;
  }
  if (best == nullptr || !affordable(*best, choices)) return std::nullopt;
  return Parent{best->holder, static_cast<std::size_t>(best - cells_.data()), best->cost_s};
}

void Climb::occupy(std::size_t at) {
  occupied_.push_back(at);
  if (at % (levels_ + 1) == levels_) occupied_over_all_.push_back(at);
}

std::string Climb::learn(const Genome& genome, const Selection& selection,
                         std::span<const TapResult> taps, double cost_s,
                         std::optional<std::size_t> parent) {
  std::string reason;
  std::shared_ptr<const Genome> holder;  // made when needed
  bool won = false;
  const auto compare = [&](Cell& one, double ratio) {
    ++one.cases;
    if (ratio > kClose) ++one.close;
    if (ratio <= one.ratio * kStep || one.saturated()) return false;
    if (!holder) holder = std::make_shared<const Genome>(genome);
    if (!one.holder) occupy(static_cast<std::size_t>(&one - cells_.data()));
    const double octaves = one.ratio > 0 ? std::log2(ratio / one.ratio) : kMostWon;
    one.energy += std::min(kMostWon, octaves);
    one.ratio = ratio;
    one.holder = holder;
    one.cost_s = cost_s;
    won = won || (parent && &cells_[*parent] == &one);
    return true;
  };
  for (const TapResult& result : taps) {
    const double ratio = result.worst_ratio;
    if (result.exact || !(ratio > 0) || ratio > 1) continue;
    const auto tap = static_cast<std::size_t>(result.tap);
    const std::size_t bucket = static_cast<std::size_t>(ratio_bucket(ratio) - kLowestBucket);
    bool fresh = !seen_[tap * kBuckets + bucket];
    if (fresh) ++behaviours_;
    seen_[tap * kBuckets + bucket] = true;
    const bool record = compare(cell(tap, levels_), ratio);
    won = won || record;
    fresh |= record;
    if (fresh && reason.empty()) {
      reason = fmt::format("{} 2^{}", name_of(result.tap), ratio_bucket(ratio));
    }
    for (std::size_t f = 0; f < selection.size(); ++f) {
      compare(cell(tap, first_level(f) + selection[f]), ratio);
    }
  }
  if (parent) {
    if (!won) cells_[*parent].energy *= kForget;
    success_ += kMemory * ((won ? 1 : 0) - success_);
  }
  return reason;
}

}  // namespace helixcheck
