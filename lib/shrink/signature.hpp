// What makes two failures the same: never the rank, head, row or bits, which change as a scenario
// shrinks, but the statement that broke, for whom, how and where first.

#pragma once

#include <string>

namespace helixcheck {

struct Signature {
  std::string property;  // "equivalence", "page_order", ...
  std::string subject;   // its name
  std::string kind;      // "value", "error", "relation", "nondeterminism", "crash", "hang"
  std::string stage;     // first stage that went wrong; "" where none is to blame
  friend bool operator==(const Signature&, const Signature&) = default;
};

// "equivalence/cpu/value/attend".
std::string to_text(const Signature& signature);

}  // namespace helixcheck
