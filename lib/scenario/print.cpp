// A scenario as C++ statements: one assignment for each member that differs from its default.

#include "scenario/print.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "scenario/fields.hpp"
#include "scenario/value_text.hpp"

namespace helixcheck {
namespace {

template <Scalar T>
std::string cpp_value(const T& value) {
  if constexpr (Enumeration<T>) return fmt::format("{}::{}", type_name<T>(), to_text(value));
  if constexpr (std::same_as<T, std::string>) return quote(value);
  if constexpr (std::same_as<T, std::uint64_t>) return to_text(value) + "u";
  if constexpr (std::same_as<T, std::optional<double>>) return value ? to_text(value) : "{}";
  return to_text(value);
}

std::string cpp_list(const std::vector<std::int64_t>& values) {
  return "{" + join(values, ", ") + "}";
}

class Statements {
 public:
  // `object` is what members are written behind: "s.problem." or "s.problem.rope_scaling->".
  Statements(std::string object, std::string& text) : object_(std::move(object)), text_(text) {}

  template <Scalar T>
  void operator()(const Field& field, const T& value, const T& standard) {
    if (value != standard) add(field, " = " + cpp_value(value));
  }
  void operator()(const Field& field, const std::vector<std::int64_t>& lengths,
                  const std::vector<std::int64_t>& standard) {
    if (lengths == standard) return;
    const bool equal = lengths.size() > 1 && all_equal(lengths);
    add(field, equal ? fmt::format(".assign({}, {})", lengths.size(), lengths.front())
                     : " = " + cpp_list(lengths));
  }
  void operator()(const Field& field, const std::optional<RopeScaling>& value,
                  const std::optional<RopeScaling>& standard) {
    if (value == standard) return;
    add(field, value ? ".emplace()" : ".reset()");
    const RopeScaling plain;
    if (value)
      visit_fields(Statements(fmt::format("{}{}->", object_, field.name), text_), *value, plain);
  }
  void operator()(const Field& field, const std::vector<HeavyKey>& keys,
                  const std::vector<HeavyKey>&) {
    for (const HeavyKey& key : keys) {
      std::vector<std::string> values;
      const auto collect = [&values](const Field&, const auto& value) {
        values.push_back(cpp_value(value));
      };
      visit_fields(collect, key);
      add(field, fmt::format(".push_back({{{}}})", fmt::join(values, ", ")));
    }
  }
  void operator()(const Field& field, const Data& value, const Data& standard) {
    visit_fields(Statements(fmt::format("{}{}.", object_, field.name), text_), value, standard);
  }

 private:
  void add(const Field& field, const std::string& action) {
    text_ += fmt::format("{}{}{};\n", object_, field.name, action);
  }

  std::string object_;
  std::string& text_;
};

}  // namespace

std::string print_cpp(const Scenario& scenario) {
  const Scenario standard;
  std::string text = "Scenario s;\n";
  if (!scenario.name.empty()) text += fmt::format("s.name = {};\n", quote(scenario.name));
  for (const std::string& label : scenario.labels) {
    text += fmt::format("s.labels.push_back({});\n", quote(label));
  }
  visit_fields(Statements("s.problem.", text), scenario.problem, standard.problem);
  visit_fields(Statements("s.layout.", text), scenario.layout, standard.layout);
  visit_fields(Statements("s.run.", text), scenario.run, standard.run);
  for (const Step& step : scenario.script) {
    text += fmt::format("s.script.push_back({{{}, {}, {}}});\n", cpp_value(step.kind),
                        cpp_list(step.requests), cpp_list(step.tokens));
  }
  return text;
}

}  // namespace helixcheck
