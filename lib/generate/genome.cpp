// Reading genomes: a choice source with a lane for each feature.

#include "generate/genome.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include "generate/cost.hpp"
#include "generate/level_draw.hpp"
#include "generate/philox.hpp"
#include "scenario/validate.hpp"

namespace helixcheck {
namespace {

const Lane& lane_of(const Genome& genome, std::size_t feature) {
  static const Lane plain;
  return feature < genome.lanes.size() ? genome.lanes[feature] : plain;
}

// As many bytes as a limit needs, first byte highest: neighbouring bytes are neighbouring values.
class LaneChoices : public Choices {
 public:
  explicit LaneChoices(const Genome& genome) : genome_(genome) {}

  void enter(std::size_t feature) override {
    feature_ = feature;
    used_ = 0;
  }

  std::uint64_t below(std::uint64_t limit) override {
    assert(limit >= 1);
    if (feature_ >= features().size()) return genome_.size % limit;
    std::uint64_t value = 0;
    for (std::uint64_t most = limit - 1; most > 0; most >>= 8) value = value << 8 | next_byte();
    return value % limit;
  }

 private:
  std::uint8_t next_byte() {
    const Lane& lane = lane_of(genome_, feature_);
    const std::size_t at = used_++;
    if (at < kLaneBytes) return lane.values[at];
    const std::size_t beyond = at - kLaneBytes;
    if (beyond % block_.size() == 0) fill_block(lane, beyond / block_.size());
    return block_[beyond % block_.size()];
  }

  // A tail of 0 goes on with 0, the simplest choice.
  void fill_block(const Lane& lane, std::size_t number) {
    std::uint64_t key = 0;
    for (std::size_t i = kLaneBytes - kTailBytes; i < kLaneBytes; ++i) {
      key = key << 8 | lane.values[i];
    }
    block_.fill(0);
    if (key == 0) return;
    const PhiloxBlock words = philox4x32_10(
        {static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(feature_), 0, 0}, key);
    for (std::size_t i = 0; i < block_.size(); ++i) {
      block_[i] = static_cast<std::uint8_t>(words[i / 4] >> (8 * (i % 4)));
    }
  }

  const Genome& genome_;
  std::size_t feature_ = 0, used_ = 0;
  std::array<std::uint8_t, 16> block_{};
};

std::uint8_t level_for(std::uint8_t byte, std::size_t feature, const LevelSet& allowed) {
  const std::size_t count = features()[feature].levels.size(), first = first_level(feature);
  const std::size_t asked = byte % count;
  if (allowed[first + asked]) return static_cast<std::uint8_t>(asked);
  std::size_t left = 0;
  for (std::size_t l = 0; l < count; ++l) left += allowed[first + l] ? 1 : 0;
  std::size_t skip = byte % left;
  for (std::size_t l = 0;; ++l) {
    if (allowed[first + l] && skip-- == 0) return static_cast<std::uint8_t>(l);
  }
}

bool small_enough(const Scenario& scenario) {
  return forecast_seconds(scenario) <= kMostDecoded_s &&
         memory_need_bytes(scenario) <= kMostMemory_bytes && !find_error(scenario);
}

// Plain levels go with all others but those of the entry, which stays.
DrawnScenario made_plainer(const Genome& genome, DrawnScenario drawn) {
  LaneChoices choices(genome);
  const auto again = [&] { drawn.scenario = realise(drawn.selection, choices, drawn.size); };
  for (const std::string_view dear : {"observe", "script", "batch", "ctx_len", "tokens", "heads",
                                      "hidden_size", "kv_lora_rank", "kvp", "tpa", "page_ids"}) {
    const std::span<const Feature> all = features();
    const auto feature =
        std::find_if(all.begin(), all.end(), [dear](const Feature& f) { return f.name == dear; });
    std::uint8_t& level = drawn.selection[static_cast<std::size_t>(feature - all.begin())];
    if (dear == "ctx_len") drawn.size = Size::small;
    if (level == 0) continue;
    level = 0;
    again();
    if (small_enough(drawn.scenario)) return drawn;
  }
  drawn.size = Size::small;
  drawn.selection.assign(features().size(), 0);
  again();
  return drawn;
}

}  // namespace

std::size_t genome_bytes() {
  return 2 + features().size() * (1 + kLaneBytes);
}

Genome genome_of(std::span<const std::uint8_t> bytes) {
  const auto next = [&bytes] {
    if (bytes.empty()) return std::uint8_t{0};
    const std::uint8_t byte = bytes.front();
    bytes = bytes.subspan(1);
    return byte;
  };
  Genome genome;
  genome.size = next();
  genome.property = next();
  genome.lanes.resize(features().size());
  for (Lane& lane : genome.lanes) {
    lane.level = next();
    for (std::uint8_t& value : lane.values) value = next();
  }
  return genome;
}

std::vector<std::uint8_t> to_bytes(const Genome& genome) {
  std::vector<std::uint8_t> bytes{genome.size, genome.property};
  bytes.reserve(genome_bytes());
  for (std::size_t feature = 0; feature < features().size(); ++feature) {
    const Lane& lane = lane_of(genome, feature);
    bytes.push_back(lane.level);
    bytes.insert(bytes.end(), lane.values.begin(), lane.values.end());
  }
  return bytes;
}

Size size_of(const Genome& genome) {
  if (genome.size < kLongContextByte) return Size::small;
  return genome.size < kMediumByte ? Size::long_context : Size::medium;
}

Selection levels_of(const Genome& genome) {
  LevelSet allowed = levels_for(size_of(genome), ~LevelSet());
  Selection selection;
  selection.reserve(features().size());
  for (std::size_t feature = 0; feature < features().size(); ++feature) {
    selection.push_back(level_for(lane_of(genome, feature).level, feature, allowed));
    allowed &= Compatibility::get().with(first_level(feature) + selection.back());
  }
  return selection;
}

DrawnScenario decode(const Genome& genome) {
  LaneChoices choices(genome);
  DrawnScenario drawn{{}, levels_of(genome), size_of(genome)};
  drawn.scenario = realise(drawn.selection, choices, drawn.size);
  if (small_enough(drawn.scenario)) return drawn;
  return made_plainer(genome, std::move(drawn));
}

Genome genome_from(const Selection& selection, Size size, Choices& choices) {
  Genome genome;
  if (size == Size::long_context) genome.size = kLongContextByte;
  if (size == Size::medium || size == Size::full) {
    genome.size = static_cast<std::uint8_t>(choices.between(kMediumByte, 255));
  }
  genome.property = static_cast<std::uint8_t>(choices.below(256));
  genome.lanes.resize(features().size());
  for (std::size_t feature = 0; feature < features().size(); ++feature) {
    Lane& lane = genome.lanes[feature];
    lane.level = selection[feature];
    for (std::size_t i = 0; i < kLaneBytes; i += 4) {
      const std::uint64_t word = choices.below(std::uint64_t{1} << 32);
      for (std::size_t j = 0; j < 4; ++j) {
        lane.values[i + j] = static_cast<std::uint8_t>(word >> (8 * j));
      }
    }
  }
  return genome;
}

}  // namespace helixcheck
