// JSON text as a tree, with what a merging parser hides: duplicate names, number spelling, depth.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace helixcheck {

inline constexpr std::size_t kMaxJsonBytes = std::size_t{1} << 20;
inline constexpr std::size_t kMaxJsonDepth = 32;

struct JsonNode {
  enum class Kind { null, boolean, number, string, array, object };
  Kind kind = Kind::null;
  std::string text;                // "true", the number as spelled, the string's content
  std::vector<JsonNode> items;     // of an array or object
  std::vector<std::string> names;  // of an object's items, unique

  const JsonNode* find(std::string_view name) const;  // nullptr if there is no such member
};

// Throws InputError, one sentence that starts with `origin`.
JsonNode parse_json(std::string_view text, std::string_view origin);

// The start of a name or string, on one line, for messages.
std::string shown(std::string_view text);

// The node for a message: "4.0", "\"bf61\"", "an array".
std::string describe(const JsonNode& node);

}  // namespace helixcheck
