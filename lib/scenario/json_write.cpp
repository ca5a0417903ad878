// Canonical text: the field table's order, two spaces a level, arrays on one line, defaults left
// out. Equal scenarios give equal text, so the text can be hashed.

#include <algorithm>
#include <fmt/format.h>

#include "scenario/fields.hpp"
#include "scenario/json.hpp"
#include "scenario/value_text.hpp"

namespace helixcheck {
namespace {

constexpr std::uint64_t kExactInDouble = std::uint64_t{1} << 53;

template <Scalar T>
std::string json_text(const T& value) {
  const std::string text = to_text(value);
  if constexpr (Enumeration<T> || std::same_as<T, std::string>) return quote(text);
  if constexpr (std::same_as<T, std::uint64_t>) return value > kExactInDouble ? quote(text) : text;
  if constexpr (std::same_as<T, std::optional<double>>) return value ? text : "null";
  return text;
}

std::string array(const std::vector<std::int64_t>& values) {
  return "[" + join(values, ", ") + "]";
}

// One item a line, at `depth` levels.
std::string long_array(const std::vector<std::string>& items, int depth) {
  const std::string indent(2 * static_cast<std::size_t>(depth), ' ');
  return fmt::format("[\n{}  {}\n{}]", indent, fmt::join(items, ",\n  " + indent), indent);
}

// Collects the members of an object.
class ObjectWriter {
 public:
  explicit ObjectWriter(int depth) : depth_(depth) {}

  template <Scalar T>
  void operator()(const Field& field, const T& value, const T& standard) {
    if (value != standard) add(field.name, json_text(value));
  }
  void operator()(const Field& field, const std::vector<std::int64_t>& lengths,
                  const std::vector<std::int64_t>& standard) {
    if (lengths == standard) return;
    const bool equal = !lengths.empty() && all_equal(lengths);
    if (!equal) return add(field.name, array(lengths));
    if (lengths.size() != standard.size()) add("batch", to_text(lengths.size()));
    if (lengths.front() != standard.front()) add(field.name, to_text(lengths.front()));
  }
  void operator()(const Field& field, const std::optional<RopeScaling>& value,
                  const std::optional<RopeScaling>& standard) {
    if (value == standard) return;
    if (!value) return add(field.name, "null");
    ObjectWriter writer(depth_ + 1);
    writer.add("type", quote("yarn"));
    const RopeScaling plain;
    visit_fields(writer, *value, plain);
    add(field.name, writer.lines());
  }
  void operator()(const Field& field, const std::vector<HeavyKey>& keys,
                  const std::vector<HeavyKey>& standard) {
    if (keys == standard) return;
    std::vector<std::string> items;
    for (const HeavyKey& key : keys) {
      ObjectWriter writer(depth_ + 2);
      const auto put = [&writer](const Field& member, const auto& value) {
        writer.add(member.name, json_text(value));
      };
      visit_fields(put, key);
      items.push_back(writer.line());
    }
    add(field.name, long_array(items, depth_ + 1));
  }
  void operator()(const Field& field, const Data& data, const Data& standard) {
    block(field.name, data, standard);
  }

  template <typename Block>
  void block(std::string_view name, const Block& value, const Block& standard) {
    ObjectWriter writer(depth_ + 1);
    visit_fields(writer, value, standard);
    if (!writer.members_.empty()) add(name, writer.lines());
  }
  void add(std::string_view name, const std::string& value) {
    members_.push_back(quote(name) + ": " + value);
  }
  int depth() const { return depth_; }
  std::string line() const { return fmt::format("{{{}}}", fmt::join(members_, ", ")); }
  std::string lines() const {
    if (members_.empty()) return "{}";
    const std::string indent(2 * static_cast<std::size_t>(depth_), ' ');
    return fmt::format("{{\n{}  {}\n{}}}", indent, fmt::join(members_, ",\n  " + indent), indent);
  }

 private:
  int depth_;
  std::vector<std::string> members_;
};

std::string step_text(const Step& step) {
  ObjectWriter writer(0);  // one line: no depth
  writer.add("do", json_text(step.kind));
  if (!step.requests.empty()) writer.add("requests", array(step.requests));
  if (!step.tokens.empty()) writer.add("tokens", array(step.tokens));
  return writer.line();
}

std::string steps_text(const std::vector<Step>& script, int depth) {
  std::vector<std::string> steps;
  for (const Step& step : script) steps.push_back(step_text(step));
  return long_array(steps, depth);
}

void write_blocks(const Scenario& scenario, ObjectWriter& writer) {
  static const Scenario standard;
  writer.block("problem", scenario.problem, standard.problem);
  writer.block("layout", scenario.layout, standard.layout);
  writer.block("run", scenario.run, standard.run);
  if (!scenario.script.empty()) {
    writer.add("script", steps_text(scenario.script, writer.depth() + 1));
  }
}

void write_head(const Scenario& scenario, ObjectWriter& writer) {
  writer.add("schema", to_text(kSchema));
  if (!scenario.name.empty()) writer.add("name", quote(scenario.name));
  if (scenario.labels.empty()) return;
  std::vector<std::string> labels;
  for (const std::string& label : scenario.labels) labels.push_back(quote(label));
  writer.add("labels", fmt::format("[{}]", fmt::join(labels, ", ")));
}

void write_provenance(const Provenance& provenance, ObjectWriter& writer) {
  if (provenance == Provenance{}) return;
  ObjectWriter inner(1);
  const auto put = [&inner](std::string_view name, const std::string& value) {
    if (!value.empty()) inner.add(name, quote(value));
  };
  put("property", provenance.property);
  put("subject", provenance.subject);
  put("commit", provenance.commit);
  put("date", provenance.date);
  put("signature", provenance.signature);
  put("passes_since", provenance.passes_since);
  writer.add("provenance", inner.lines());
}

}  // namespace

std::string print_scenario(const Scenario& scenario) {
  ObjectWriter writer(0);
  write_head(scenario, writer);
  write_blocks(scenario, writer);
  return writer.lines() + "\n";
}

std::string print_scenario_file(const ScenarioFile& file) {
  ObjectWriter writer(0);
  write_head(file.scenario, writer);
  write_blocks(file.scenario, writer);
  if (!file.before.empty()) {
    std::vector<std::string> scenarios;
    for (const Scenario& scenario : file.before) {
      ObjectWriter one(2);
      write_blocks(scenario, one);
      scenarios.push_back(one.lines());
    }
    writer.add("before", long_array(scenarios, 1));
  }
  write_provenance(file.provenance, writer);
  return writer.lines() + "\n";
}

std::string content_hash(const Scenario& scenario) {
  ObjectWriter writer(0);
  write_blocks(scenario, writer);
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : writer.lines()) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  }
  return fmt::format("{:016x}", hash);
}

}  // namespace helixcheck
