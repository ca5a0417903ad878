// Numbers in JSON that every reader gets back exactly: many read all numbers as doubles.

#pragma once

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace helixcheck {

using Json = nlohmann::ordered_json;

// A string above 2^53, as in scenario files.
inline Json exact(std::uint64_t value) {
  if (value > std::uint64_t{1} << 53) return std::to_string(value);
  return value;
}

// JSON has no words for what is not finite: "inf", "-inf", "nan".
inline Json number(double value) {
  if (std::isfinite(value)) return value;
  if (std::isnan(value)) return "nan";
  return value > 0 ? "inf" : "-inf";
}

}  // namespace helixcheck
