// The table, put together in the order in which levels are applied: what later ones look at first.

#include "generate/features.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "generate/feature_groups.hpp"
#include "scenario/names.hpp"

namespace helixcheck {
namespace {

struct Table {
  std::vector<Feature> features;
  std::vector<std::size_t> first;    // by feature
  std::vector<std::size_t> feature;  // by level
  std::size_t model_end = 0;         // features that set dimensions lie before it
};

Table put_together() {
  namespace groups = feature_groups;
  Table table;
  const auto add = [&table](std::span<const Feature> group) {
    table.features.insert(table.features.end(), group.begin(), group.end());
  };
  add(groups::world());
  add(groups::model());
  table.model_end = table.features.size();
  add(groups::layout());
  add(groups::history());
  add(groups::data());
  for (std::size_t f = 0; f < table.features.size(); ++f) {
    table.first.push_back(table.feature.size());
    table.feature.insert(table.feature.end(), table.features[f].levels.size(), f);
  }
  return table;
}

const Table& table() {
  static const Table all = put_together();
  return all;
}

// Widths of a published model; heads stay as drawn.
void take_model_shape(Draft& draft) {
  const std::span<const ModelShape> shapes = model_shapes();
  const Problem& shape = shapes[draft.choices.below(shapes.size())].problem;
  Problem& p = draft.scenario.problem;
  p.kv_lora_rank = shape.kv_lora_rank;
  p.qk_rope_head_dim = shape.qk_rope_head_dim;
  if (draft.size == Size::medium || p.entry != Entry::layer) return;
  p.hidden_size = shape.hidden_size;
  p.q_lora_rank = shape.q_lora_rank;
  p.qk_nope_head_dim = shape.qk_nope_head_dim;
  p.v_head_dim = shape.v_head_dim;
}

}  // namespace

std::string_view name_of(Size size) {
  switch (size) {
    case Size::small: return "small";
    case Size::long_context: return "long context";
    case Size::medium: return "medium";
    case Size::full: return "full";
  }
  return "unknown";
}

double budget_seconds(Size size) {
  switch (size) {
    case Size::small: return 200e-6;
    case Size::long_context: return 2e-3;
    case Size::medium: return 10e-3;
    case Size::full: return 1;
  }
  return 0;
}

std::span<const Feature> features() {
  return table().features;
}

std::size_t level_count() {
  return table().feature.size();
}

std::size_t first_level(std::size_t feature) {
  return table().first[feature];
}

std::size_t feature_of(std::size_t level) {
  return table().feature[level];
}

std::string level_text(std::size_t level) {
  const std::size_t f = feature_of(level);
  const Feature& feature = features()[f];
  return fmt::format("{} {}", feature.name, feature.levels[level - first_level(f)].name);
}

LevelChoice long_context() {
  const std::span<const Feature> all = features();
  const auto context =
      std::find_if(all.begin(), all.end(), [](const Feature& f) { return f.name == "ctx_len"; });
  return {static_cast<std::size_t>(context - all.begin()), context->levels.size() - 1};
}

Scenario realise(const Selection& selection, Choices& choices, Size size) {
  const std::span<const Feature> all = features();
  assert(selection.size() == all.size());
  Draft draft{{}, choices, size};
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool modelled = size == Size::medium || size == Size::full;
    if (i == table().model_end && modelled) {
      choices.enter(all.size());
      take_model_shape(draft);
    }
    choices.enter(i);
    all[i].levels[selection[i]].apply(draft);
  }
  return draft.scenario;
}

}  // namespace helixcheck
