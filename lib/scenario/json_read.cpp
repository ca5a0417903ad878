// The typed reader: walks the field table beside the JSON tree. A name the table does not hold, a
// value of another type, a second way of saying the batch: each is refused, nothing is guessed.

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <optional>

#include "scenario/error.hpp"
#include "scenario/fields.hpp"
#include "scenario/json.hpp"
#include "scenario/json_tree.hpp"
#include "scenario/validate.hpp"
#include "scenario/value_text.hpp"

namespace helixcheck {
namespace {

using Kind = JsonNode::Kind;

// A node and where it lies, for messages.
struct Place {
  const JsonNode& node;
  std::string path;
  std::string_view origin;

  Place member(std::string_view name, const JsonNode& child) const {
    return {child, path.empty() ? std::string(name) : fmt::format("{}.{}", path, name), origin};
  }
  Place item(std::size_t i) const {
    return {node.items[i], fmt::format("{}[{}]", path, i), origin};
  }
  [[noreturn]] void refuse(std::string_view rule) const {
    throw InputError(fmt::format("{}: {} {}", origin, path.empty() ? "the text" : path, rule));
  }
  [[noreturn]] void refuse_type(std::string_view type) const {
    refuse(fmt::format("is {}, but it must be {}", describe(node), type));
  }
  void require(Kind kind, std::string_view type) const {
    if (node.kind != kind) refuse_type(type);
  }
};

template <Scalar T>
constexpr bool spelled_as(Kind kind) {
  if constexpr (std::same_as<T, bool>) return kind == Kind::boolean;
  if constexpr (Enumeration<T> || std::same_as<T, std::string>) return kind == Kind::string;
  // 64-bit seeds may be strings: many JSON tools round integers to doubles.
  if constexpr (std::same_as<T, std::uint64_t>) {
    return kind == Kind::number || kind == Kind::string;
  }
  return kind == Kind::number;
}

template <Scalar T>
void read(const Place& place, T& value) {
  if constexpr (std::same_as<T, std::optional<double>>) {
    if (place.node.kind == Kind::null) {
      value = std::nullopt;
      return;
    }
  }
  if (!spelled_as<T>(place.node.kind) || !from_text(place.node.text, value)) {
    const bool nullable = std::same_as<T, std::optional<double>>;
    place.refuse_type(wanted<T>() + (nullable ? " or null" : ""));
  }
}

template <typename T>
void read(const Place& place, std::vector<T>& values);
void read(const Place& place, HeavyKey& key);
void read(const Place& place, Step& step);
void read(const Place& place, Scenario& scenario);
void read(const Place& place, Provenance& provenance);
void read(const Place& place, std::optional<RopeScaling>& scaling);

// Reads the members of one object; finish() refuses those nobody asked for.
class ObjectReader {
 public:
  explicit ObjectReader(Place place) : place_(std::move(place)) {
    place_.require(Kind::object, "an object");
  }

  // For the field table.
  template <typename T>
  void operator()(const Field& field, T& value) {
    take(field.name, value);
  }
  void operator()(const Field& field, Data& data) { block(field.name, data); }
  // `batch` repeats one length; an array gives each request its own.
  void operator()(const Field& field, std::vector<std::int64_t>& lengths) {
    std::optional<std::int64_t> batch;
    if (const JsonNode* node = find("batch")) read_batch(place_.member("batch", *node), batch);
    std::int64_t length = lengths.front();
    const JsonNode* node = find(field.name);
    if (node != nullptr && node->kind == Kind::array) {
      const Place list = place_.member(field.name, *node);
      read(list, lengths);
      if (batch && *batch != std::ssize(lengths)) {
        list.refuse(fmt::format("lists {} lengths, but batch is {}", lengths.size(), *batch));
      }
      return;
    }
    if (node != nullptr) read(place_.member(field.name, *node), length);
    lengths.assign(static_cast<std::size_t>(batch.value_or(1)), length);
  }

  const JsonNode* find(std::string_view name) {
    known_.push_back(name);
    return place_.node.find(name);
  }
  // Reads the member if it is there.
  template <typename T>
  bool take(std::string_view name, T& value) {
    const JsonNode* node = find(name);
    if (node != nullptr) read(place_.member(name, *node), value);
    return node != nullptr;
  }
  template <typename Block>
  void block(std::string_view name, Block& block) {
    if (const JsonNode* node = find(name)) {
      ObjectReader reader(place_.member(name, *node));
      if constexpr (std::same_as<Block, Problem>) reader.read_model(block);
      visit_fields(reader, block);
      reader.finish();
    }
  }
  void blocks(Scenario& scenario) {
    block("problem", scenario.problem);
    block("layout", scenario.layout);
    block("run", scenario.run);
    take("script", scenario.script);
  }
  void finish() const {
    for (std::size_t i = 0; i < place_.node.names.size(); ++i) {
      const std::string& name = place_.node.names[i];
      if (std::count(known_.begin(), known_.end(), name) != 0) continue;
      const auto near = nearest(shown(name), known_);
      place_.member(shown(name), place_.node.items[i])
          .refuse("is no known field" + (near ? fmt::format("; did you mean {}?", *near) : ""));
    }
  }

 private:
  void read_model(Problem& problem) {
    std::string model;
    if (!take("model", model)) return;
    try {
      apply_model(model, problem);
    } catch (const InputError& error) {
      throw InputError(fmt::format("{}: {}.model: {}", place_.origin, place_.path, error.what()));
    }
  }
  static void read_batch(const Place& place, std::optional<std::int64_t>& batch) {
    batch.emplace();
    read(place, *batch);
    if (*batch < 1 || *batch > kMaxBatch) {
      place.refuse(fmt::format("is {}, but it must be between 1 and {}", *batch, kMaxBatch));
    }
  }

  Place place_;
  std::vector<std::string_view> known_;
};

template <typename T>
void read(const Place& place, std::vector<T>& values) {
  place.require(Kind::array, std::same_as<T, std::int64_t> ? "an array of integers" : "an array");
  values.assign(place.node.items.size(), T{});
  for (std::size_t i = 0; i < values.size(); ++i) read(place.item(i), values[i]);
}

void read(const Place& place, HeavyKey& key) {
  ObjectReader reader(place);
  visit_fields(reader, key);
  reader.finish();
}

void read(const Place& place, Step& step) {
  ObjectReader reader(place);
  if (!reader.take("do", step.kind)) {
    place.refuse("has no \"do\", which must be " + wanted<StepKind>());
  }
  reader.take("requests", step.requests);
  reader.take("tokens", step.tokens);
  reader.finish();
}

void read(const Place& place, Scenario& scenario) {
  ObjectReader reader(place);
  reader.blocks(scenario);
  reader.finish();
}

void read(const Place& place, Provenance& provenance) {
  ObjectReader reader(place);
  reader.take("property", provenance.property);
  reader.take("subject", provenance.subject);
  reader.take("commit", provenance.commit);
  reader.take("date", provenance.date);
  reader.take("signature", provenance.signature);
  reader.take("passes_since", provenance.passes_since);
  reader.finish();
}

// null and false mean none, as in model configurations.
void read(const Place& place, std::optional<RopeScaling>& scaling) {
  scaling = std::nullopt;
  const JsonNode& node = place.node;
  if (node.kind == Kind::null || (node.kind == Kind::boolean && node.text == "false")) return;
  place.require(Kind::object, "an object, false or null");
  ObjectReader reader(place);
  std::string type;
  if (!reader.take("type", type) || type != "yarn") {
    place.refuse("must have \"type\": \"yarn\", the only kind there is");
  }
  visit_fields(reader, scaling.emplace());
  reader.finish();
}

void check_schema(const Place& root) {
  const JsonNode* node = root.node.find("schema");
  if (node == nullptr) root.refuse(fmt::format("has no \"schema\", which must be {}", kSchema));
  const Place place = root.member("schema", *node);
  std::int64_t schema = 0;
  read(place, schema);
  if (schema > kSchema) {
    place.refuse(
        fmt::format("{} is newer than {}, the newest this version reads", schema, kSchema));
  }
  if (schema < 1) place.refuse(fmt::format("is {}, but it must be at least 1", schema));
}

// Relative tensor files lie beside the scenario that names them; "#prefix" is no part of the path.
void resolve_tensors(std::string& tensors, const std::filesystem::path& folder) {
  if (tensors.empty()) return;
  const std::size_t hash = std::min(tensors.rfind('#'), tensors.size());
  const std::filesystem::path path = folder / tensors.substr(0, hash);
  tensors = path.lexically_normal().string() + tensors.substr(hash);
}

}  // namespace

Scenario parse_scenario(std::string_view text, std::string_view origin) {
  return parse_scenario_file(text, origin).scenario;
}

ScenarioFile parse_scenario_file(std::string_view text, std::string_view origin) {
  const JsonNode tree = parse_json(text, origin);
  const Place root{tree, "", origin};
  root.require(Kind::object, "an object");
  check_schema(root);
  ScenarioFile file;
  ObjectReader reader(root);
  reader.find("schema");
  reader.take("name", file.scenario.name);
  reader.take("labels", file.scenario.labels);
  reader.blocks(file.scenario);
  reader.take("before", file.before);
  reader.take("provenance", file.provenance);
  reader.finish();
  return file;
}

Scenario load_scenario(const std::filesystem::path& file) {
  return load_scenario_file(file).scenario;
}

ScenarioFile load_scenario_file(const std::filesystem::path& file) {
  const std::string origin = file.string();
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) {
    throw InputError(fmt::format("{}: is a folder, but it must be a scenario file", origin));
  }
  std::ifstream stream(file, std::ios::binary);
  std::string text(kMaxJsonBytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!stream.is_open() || stream.bad()) {
    throw InputError(fmt::format("{}: cannot be read", origin));
  }
  text.resize(static_cast<std::size_t>(stream.gcount()));

  ScenarioFile read = parse_scenario_file(text, origin);
  if (read.scenario.name.empty()) read.scenario.name = file.stem().string();
  resolve_tensors(read.scenario.problem.data.tensors, file.parent_path());
  if (const auto rule = find_error(read.scenario)) {
    throw InputError(fmt::format("{}: {}", origin, *rule));
  }
  for (std::size_t i = 0; i < read.before.size(); ++i) {
    resolve_tensors(read.before[i].problem.data.tensors, file.parent_path());
    if (const auto rule = find_error(read.before[i])) {
      throw InputError(fmt::format("{}: before[{}]: {}", origin, i, *rule));
    }
  }
  return read;
}

}  // namespace helixcheck
