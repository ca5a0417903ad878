// What makes two failures the same: never the rank, head, row or bits, which change as a scenario
// shrinks, but the statement that broke, for whom, how and where first.

#pragma once

#include <optional>
#include <string>

namespace helixcheck {

struct Signature {
  std::string property;  // "equivalence", "page_order", ...
  std::string subject;   // its name
  std::string kind;      // "value", "error", "relation", "nondeterminism"; of a process: "crash",
                         // "hang", "out_of_memory", "sanitizer", "exit", "leak"
  std::string stage;     // first stage that went wrong; "" where none is to blame
  friend bool operator==(const Signature&, const Signature&) = default;
};

// "equivalence/cpu/value/attend"; no stage is "-".
std::string to_text(const Signature& signature);
// The reverse; nullopt for what to_text does not write. A subject may have a name with a slash.
std::optional<Signature> parse_signature(const std::string& text);

}  // namespace helixcheck
