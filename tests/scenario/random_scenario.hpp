// Scenarios with random values in every field, for round trips. They need not be valid: texts and
// replays must survive any value a field can hold. Fields come from the field table, so a new field
// is drawn as soon as it exists.

#pragma once

#include <optional>
#include <random>

#include "scenario/fields.hpp"
#include "scenario/names.hpp"
#include "scenario/value_text.hpp"

namespace helixcheck {

class ScenarioDrawer {
 public:
  explicit ScenarioDrawer(std::uint64_t seed) : engine_(seed) {}

  // Each field keeps its default with probability 1/2.
  Scenario draw() {
    Scenario scenario;
    visit_fields(*this, scenario.problem);
    visit_fields(*this, scenario.layout);
    visit_fields(*this, scenario.run);
    for (std::uint64_t i = below(4); i > 0; --i) scenario.script.push_back(draw_step());
    if (coin()) scenario.name = draw_text();
    for (std::uint64_t i = below(3); i > 0; --i) scenario.labels.push_back(draw_text());
    return scenario;
  }

  template <Scalar T>
  void operator()(const Field& field, T& value) {
    if (coin()) value = draw_value<T>(field);
  }
  void operator()(const Field& field, std::vector<std::int64_t>& lengths) {
    if (coin()) lengths.assign(1 + below(20), draw_value<std::int64_t>(field));
    for (std::int64_t& length : lengths) {
      if (below(8) == 0) length = draw_value<std::int64_t>(field);
    }
  }
  void operator()(const Field&, std::optional<RopeScaling>& scaling) {
    if (coin()) visit_fields(*this, scaling.emplace());
  }
  void operator()(const Field&, std::vector<HeavyKey>& keys) {
    keys.resize(below(3));
    for (HeavyKey& key : keys) visit_fields(*this, key);
  }
  void operator()(const Field&, Data& data) { visit_fields(*this, data); }

 private:
  std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }
  bool coin() { return below(2) == 0; }

  template <Scalar T>
  T draw_value(const Field& field) {
    if constexpr (Enumeration<T>) {
      return names<T>()[below(names<T>().size())].first;
    } else if constexpr (std::same_as<T, bool>) {
      return coin();
    } else if constexpr (std::same_as<T, std::uint64_t>) {
      return engine_() >> below(64);
    } else if constexpr (Integer<T>) {
      return static_cast<T>(std::uniform_real_distribution<double>(field.min, field.max)(engine_));
    } else if constexpr (std::same_as<T, double>) {
      return std::uniform_real_distribution<double>(field.min, field.max)(engine_);
    } else if constexpr (std::same_as<T, std::optional<double>>) {
      return coin() ? T() : T(draw_value<double>(field));
    } else {
      return draw_text();
    }
  }
  std::string draw_text() {
    static const std::vector<std::string> pieces{"a", "Z", "9", " ",  "\"", "\\", "/",  "#",
                                                 ".", "-", ":", "\n", "\t", "é",  "漢", "$(x)"};
    std::string text;
    for (std::uint64_t i = 1 + below(6); i > 0; --i) text += pieces[below(pieces.size())];
    return text;
  }
  Step draw_step() {
    Step step;
    step.kind = names<StepKind>()[below(5)].first;
    for (std::uint64_t i = below(4); i > 0; --i) {
      step.requests.push_back(static_cast<std::int64_t>(below(300)));
    }
    for (std::uint64_t i = below(4); i > 0; --i) {
      step.tokens.push_back(static_cast<std::int64_t>(below(9)));
    }
    return step;
  }

  std::mt19937_64 engine_;
};

}  // namespace helixcheck
