// Names for people: enumerators as text, short scenario names, model shapes.

#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "scenario/scenario.hpp"

namespace helixcheck {

// Text of an enumerator, as used in JSON and on the command line.
std::string_view name_of(Dtype);
std::string_view name_of(Entry);
std::string_view name_of(Family);
std::string_view name_of(HeavyPlace);
std::string_view name_of(Prompt);
std::string_view name_of(Ownership);
std::string_view name_of(DecodeOwner);
std::string_view name_of(PageOrder);
std::string_view name_of(Poison);
std::string_view name_of(LseForm);
std::string_view name_of(WorldKind);
std::string_view name_of(TransportKind);
std::string_view name_of(Observe);
std::string_view name_of(InstanceLife);
std::string_view name_of(Launch);
std::string_view name_of(VerdictRule);
std::string_view name_of(StepKind);

// All values of an enumeration with their names, in declaration order.
template <typename Enum>
std::span<const std::pair<Enum, std::string_view>> names();

// The C++ name of an enumeration, "Dtype".
template <typename Enum>
std::string_view type_name();

// The enumerator of that name.
template <typename Enum>
std::optional<Enum> parse_name(std::string_view text) {
  for (const auto& entry : names<Enum>()) {
    if (entry.second == text) return entry.first;
  }
  return std::nullopt;
}

// Short name such as "batch8_ctx4096", with a suffix for each field that differs from its default
// ("_kvp4", "_tpa2", "_interleaved", "_yarn", "_qlora1536", "_fp16", ...) in the fields' order.
// Ragged batches give the largest length and "_ragged", scripts and heavy keys their number. Only
// letters, digits and underscores: a name for tests and files. Two scenarios with one short name
// differ in ragged lengths, script steps, heavy keys or tensor files; content_hash tells them
// apart.
std::string short_name(const Scenario& scenario);

// Shapes of published models. Names: deepseek-v2-lite, deepseek-v2, deepseek-v3, deepseek-r1,
// v3-lite, kimi-k2, glm-5, glm-4.7-flash.
struct ModelShape {
  std::string_view name;
  Problem problem;  // dimensions, RoPE and norm epsilon; everything else at its default
};
std::span<const ModelShape> model_shapes();

// Copies a shape's dimensions, RoPE and epsilon into `problem`. Throws InputError for an unknown
// name, listing the known ones.
void apply_model(std::string_view name, Problem& problem);

}  // namespace helixcheck
