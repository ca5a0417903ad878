// Drawing genomes and making new ones from old ones.

#include <algorithm>
#include <limits>

#include "generate/cost.hpp"
#include "generate/feature_groups.hpp"
#include "generate/genome.hpp"
#include "generate/level_draw.hpp"

namespace helixcheck {
namespace {

constexpr int kRedraws = 12;

std::uint8_t any_byte(Choices& choices) {
  return static_cast<std::uint8_t>(choices.below(256));
}

void draw_values(Lane& lane, Choices& choices) {
  for (std::uint8_t& value : lane.values) value = any_byte(choices);
}

// How many bytes each feature asks for, where all choices are the simplest.
class CountingChoices : public Choices {
 public:
  void enter(std::size_t feature) override { feature_ = feature; }
  std::uint64_t below(std::uint64_t limit) override {
    if (feature_ >= asked.size()) return 0;
    for (std::uint64_t most = limit - 1; most > 0; most >>= 8) ++asked[feature_];
    return 0;
  }
  std::vector<std::size_t> asked = std::vector<std::size_t>(features().size());

 private:
  std::size_t feature_ = 0;
};

// By level, in a scenario that is plain otherwise.
std::vector<std::size_t> find_bytes_asked() {
  std::vector<std::size_t> bytes(level_count());
  for (std::size_t level = 0; level < level_count(); ++level) {
    const std::size_t feature = feature_of(level);
    Selection selection(features().size(), 0);
    selection[feature] = static_cast<std::uint8_t>(level - first_level(feature));
    CountingChoices choices;
    realise(selection, choices, Size::small);
    bytes[level] = choices.asked[feature];
  }
  return bytes;
}

std::size_t bytes_asked(std::size_t feature, const Lane& lane) {
  static const std::vector<std::size_t> bytes = find_bytes_asked();
  return bytes[first_level(feature) + lane.level % features()[feature].levels.size()];
}

std::size_t any_feature(Choices& choices) {
  return choices.below(features().size());
}

// What goes with the genome's entry; for the entry itself, all.
LevelSet levels_beside(std::size_t feature, const Genome& genome) {
  if (feature == 0) return ~LevelSet();
  return Compatibility::get().with(genome.lanes[0].level % features()[0].levels.size());
}

// Another level, by weight or evenly, with new values. False if there is none at this entry.
bool change_level(std::size_t feature, Genome& genome, Choices& choices) {
  const std::size_t count = features()[feature].levels.size(), first = first_level(feature);
  Lane& lane = genome.lanes[feature];
  LevelSet allowed = levels_beside(feature, genome);
  allowed[first + lane.level % count] = false;
  std::size_t left = 0;
  for (std::size_t l = 0; l < count; ++l) left += allowed[first + l] ? 1 : 0;
  if (left == 0) return false;
  if (choices.below(2) == 0) {
    lane.level = draw_level(feature, allowed, choices);
  } else {
    std::uint64_t skip = choices.below(left);
    lane.level = 0;
    while (!allowed[first + lane.level] || skip-- > 0) ++lane.level;
  }
  draw_values(lane, choices);
  return true;
}

void change_levels(Genome& genome, Choices& choices) {
  std::uint64_t left = 1 + choices.below(3);
  for (int tries = 0; left > 0 && tries < 20; ++tries) {
    left -= change_level(any_feature(choices), genome, choices) ? 1 : 0;
  }
}

// More may be asked for than in a plain scenario, so that now and then any place is taken.
void change_value(Lane& lane, std::size_t asked, Choices& choices) {
  const std::size_t likely = choices.below(4) == 0 ? kLaneBytes : std::min(asked, kLaneBytes);
  std::uint8_t& value = lane.values[choices.below(likely)];
  switch (choices.below(6)) {
    case 0: return draw_values(lane, choices);
    case 1: value = any_byte(choices); return;
    case 2: ++value; return;
    case 3: --value; return;
    case 4: value ^= static_cast<std::uint8_t>(1u << choices.below(8)); return;
    default: value = choices.below(2) == 0 ? 0 : 255; return;
  }
}

void change_values(Genome& genome, Choices& choices) {
  const std::size_t start = any_feature(choices);
  for (std::size_t i = 0; i < features().size(); ++i) {
    const std::size_t feature = (start + i) % features().size();
    Lane& lane = genome.lanes[feature];
    const std::size_t asked = bytes_asked(feature, lane);
    if (asked > 0) return change_value(lane, asked, choices);
  }
}

void make_plain(Genome& genome, Choices& choices) {
  const std::size_t start = any_feature(choices);
  for (std::size_t i = 0; i < features().size(); ++i) {
    Lane& lane = genome.lanes[(start + i) % features().size()];
    if (lane == Lane{}) continue;
    lane = {};
    return;
  }
}

void change_group(Genome& genome, Choices& choices) {
  namespace groups = feature_groups;
  const std::array sizes{groups::world().size(), groups::model().size(), groups::layout().size(),
                         groups::history().size(), groups::data().size()};
  const std::size_t group = choices.below(sizes.size());
  std::size_t feature = 0;
  for (std::size_t i = 0; i < group; ++i) feature += sizes[i];
  for (const std::size_t end = feature + sizes[group]; feature < end; ++feature) {
    genome.lanes[feature].level = draw_level(feature, ~LevelSet(), choices);
    draw_values(genome.lanes[feature], choices);
  }
}

void change_size(Genome& genome, Choices& choices) {
  genome.size = choices.below(8) == 0 ? kLongContextByte : std::uint8_t{0};
}

}  // namespace

DrawnGenome draw_genome(Choices& choices, const LevelSet& on) {
  const Size size = draw_size(choices, false);
  const LevelSet allowed = levels_for(size, on);
  DrawnGenome best;
  double cheapest = std::numeric_limits<double>::infinity();
  for (int draw = 0; draw < kRedraws; ++draw) {
    DrawnGenome one{genome_from(draw_selection(allowed, choices), size, choices), {}};
    one.drawn = decode(one.genome);
    const double cost_s = forecast_seconds(one.drawn.scenario);
    if (worth_its_cost(cost_s, one.drawn.size, choices)) return one;
    if (cost_s >= cheapest) continue;
    cheapest = cost_s;
    best = std::move(one);
  }
  return best;
}

Genome draw_genome(Choices& choices) {
  return draw_genome(choices, draw_swarm(choices)).genome;
}

void mutate(Genome& genome, Choices& choices) {
  genome.lanes.resize(features().size());
  std::uint64_t changes = 1;
  while (changes < 4 && choices.below(3) == 0) ++changes;
  for (std::uint64_t i = 0; i < changes; ++i) {
    const std::uint64_t kind = choices.below(64);
    if (kind < 30) {
      change_levels(genome, choices);
    } else if (kind < 52) {
      change_values(genome, choices);
    } else if (kind < 60) {
      make_plain(genome, choices);
    } else if (kind < 62) {
      change_group(genome, choices);
    } else if (kind < 63) {
      genome.property = any_byte(choices);
    } else {
      change_size(genome, choices);
    }
  }
}

Genome cross(const Genome& a, const Genome& b, Choices& choices) {
  Genome child = a;
  Genome other = b;
  child.lanes.resize(features().size());
  other.lanes.resize(features().size());
  if (choices.below(2) == 1) child.property = b.property;
  if (choices.below(2) == 1) child.size = b.size;
  const std::size_t count = features().size();
  if (choices.below(2) == 0) {
    for (std::size_t i = 0; i < count; ++i) {
      if (choices.below(2) == 1) child.lanes[i] = other.lanes[i];
    }
    return child;
  }
  const std::size_t begin = choices.below(count), length = 1 + choices.below(count - 1);
  for (std::size_t i = 0; i < length; ++i) {
    child.lanes[(begin + i) % count] = other.lanes[(begin + i) % count];
  }
  return child;
}

}  // namespace helixcheck
