// The event parser of nlohmann-json builds the tree: it does not recurse, and it shows every name
// before two equal ones could merge. The only file that includes the library.

#include "scenario/json_tree.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "scenario/error.hpp"
#include "scenario/value_text.hpp"

namespace helixcheck {
namespace {

// Receives nlohmann's events; its member names are fixed by that library. Returning false stops the
// parser, after `error_` was set.
class TreeBuilder : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return add(JsonNode::Kind::null, "null"); }
  bool boolean(bool value) override { return add(JsonNode::Kind::boolean, to_text(value)); }
  bool number_integer(number_integer_t value) override {
    return add(JsonNode::Kind::number, to_text(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return add(JsonNode::Kind::number, to_text(value));
  }
  bool number_float(number_float_t, const string_t& spelled) override {
    return add(JsonNode::Kind::number, spelled);
  }
  bool string(string_t& value) override { return add(JsonNode::Kind::string, value); }
  bool binary(binary_t&) override { return fail("holds binary data"); }

  bool start_object(std::size_t) override { return open(JsonNode::Kind::object); }
  bool start_array(std::size_t) override { return open(JsonNode::Kind::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    Frame& frame = open_.back();
    frame.node.names.push_back(name);
    if (frame.names.insert(name).second) return true;
    return fail(fmt::format("{}{} is given twice", path(), shown(name)));
  }
  bool parse_error(std::size_t, const std::string&,
                   const nlohmann::json::exception& error) override {
    // "[json.exception...] parse error at line 1, column 2: rule; last read: '...'": what was read
    // last may be anything and is left out.
    const std::string text = error.what();
    const std::size_t begin = text.find("] ") + 2;
    return fail("not valid JSON, " + text.substr(begin, text.find("; last read") - begin));
  }

  JsonNode take_root() { return std::move(root_); }
  const std::string& error() const { return error_; }

 private:
  struct Frame {
    JsonNode node;
    std::unordered_set<std::string> names;  // of the node, for look-up
  };

  bool add(JsonNode::Kind kind, std::string text) { return add({kind, std::move(text), {}, {}}); }
  bool add(JsonNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
    } else {
      open_.back().node.items.push_back(std::move(node));
    }
    return true;
  }
  bool open(JsonNode::Kind kind) {
    if (open_.size() == kMaxJsonDepth) {
      return fail(fmt::format("nested deeper than {} levels", kMaxJsonDepth));
    }
    open_.emplace_back();
    open_.back().node.kind = kind;
    return true;
  }
  bool close() {
    JsonNode node = std::move(open_.back().node);
    open_.pop_back();
    return add(std::move(node));
  }
  // Of the object being read, with the separator: "problem.rope_scaling.", "script[3].".
  std::string path() const {
    std::string text;
    for (std::size_t i = 0; i + 1 < open_.size(); ++i) {
      const JsonNode& node = open_[i].node;
      if (node.kind == JsonNode::Kind::array) {
        text += fmt::format("[{}]", node.items.size());
      } else {
        text += (text.empty() ? "" : ".") + node.names.back();
      }
    }
    return text.empty() ? text : text + ".";
  }
  bool fail(std::string error) {
    error_ = std::move(error);
    return false;
  }

  std::vector<Frame> open_;
  JsonNode root_;
  std::string error_;
};

}  // namespace

const JsonNode* JsonNode::find(std::string_view name) const {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? nullptr : &items[static_cast<std::size_t>(found - names.begin())];
}

JsonNode parse_json(std::string_view text, std::string_view origin) {
  if (text.size() > kMaxJsonBytes) {
    throw InputError(
        fmt::format("{}: longer than {} bytes, the most that is read", origin, kMaxJsonBytes));
  }
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    throw InputError(fmt::format("{}: empty, but it must hold a JSON object", origin));
  }
  TreeBuilder builder;
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) {
    throw InputError(fmt::format("{}: {}", origin, builder.error()));
  }
  return builder.take_root();
}

std::string shown(std::string_view text) {
  constexpr std::size_t kShown = 40;
  std::size_t end = std::min(kShown, text.size());
  while (end < text.size() && end > 0 && (text[end] & 0xC0) == 0x80) --end;  // inside a character
  const std::string quoted = quote(text.substr(0, end));
  return quoted.substr(1, quoted.size() - 2) + (end < text.size() ? "..." : "");
}

std::string describe(const JsonNode& node) {
  switch (node.kind) {
    case JsonNode::Kind::string: return "\"" + shown(node.text) + "\"";
    case JsonNode::Kind::array: return "an array";
    case JsonNode::Kind::object: return "an object";
    default: return shown(node.text);
  }
}

}  // namespace helixcheck
