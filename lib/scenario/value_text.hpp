// Single values as text and back, the same in JSON, on the command line and in messages.
//
// Reading is strict: the whole text, in range of the type, finite. to_text gives the shortest text
// that reads back to the same bits.

#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "scenario/names.hpp"

namespace helixcheck {

template <typename T>
concept Enumeration = std::is_enum_v<T>;
template <typename T>
concept Integer = std::integral<T> && !std::same_as<T, bool>;
template <typename T>
concept Scalar = Enumeration<T> || std::is_arithmetic_v<T> || std::same_as<T, std::string> ||
    std::same_as<T, std::optional<double>>;

template <std::same_as<bool> T>
std::string to_text(T value) {
  return value ? "true" : "false";
}
std::string to_text(double value);  // always with a point or an exponent: "4.0", "1e-06"
std::string to_text(const std::string& value);
std::string to_text(const std::optional<double>& value);  // "none" when absent
template <Integer T>
std::string to_text(T value) {
  return std::to_string(value);
}
template <Enumeration T>
std::string to_text(T value) {
  return std::string(name_of(value));
}

// False, with `value` untouched, if `text` is not one of the type's values.
bool from_text(std::string_view text, bool& value);
bool from_text(std::string_view text, double& value);
bool from_text(std::string_view text, std::string& value);
bool from_text(std::string_view text, std::optional<double>& value);
template <Integer T>
bool from_text(std::string_view text, T& value) {
  T read{};
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, read);
  if (result.ec != std::errc{} || result.ptr != end) return false;
  value = read;
  return true;
}
template <Enumeration T>
bool from_text(std::string_view text, T& value) {
  const std::optional<T> found = parse_name<T>(text);
  if (found) value = *found;
  return found.has_value();
}

// What from_text wants, to end the sentence "... must be ".
template <Scalar T>
std::string wanted() {
  if constexpr (Enumeration<T>) {
    std::string list = "one of";
    for (const auto& entry : names<T>()) {
      list += list.ends_with("of") ? " " : ", ";
      list += entry.second;
    }
    return list;
  } else if constexpr (std::same_as<T, bool>) {
    return "true or false";
  } else if constexpr (std::unsigned_integral<T>) {
    return "an integer from 0 to 18446744073709551615";
  } else if constexpr (Integer<T>) {
    return "an integer of at most " + std::to_string(8 * sizeof(T)) + " bits";
  } else if constexpr (std::same_as<T, std::string>) {
    return "a text";
  } else {
    return "a finite number";
  }
}

bool all_equal(std::span<const std::int64_t> values);

// "a, b, c"
std::string join(std::span<const std::int64_t> values, std::string_view separator);
std::vector<std::string_view> split(std::string_view text, char separator);

// `text` in double quotes, escaped so that JSON and C++ read the same.
std::string quote(std::string_view text);

// Well-formed UTF-8 without control characters.
bool is_printable(std::string_view text);

// The candidate with the fewest edits from `text`; nullopt if none is near.
std::optional<std::string_view> nearest(std::string_view text,
                                        std::span<const std::string_view> candidates);

}  // namespace helixcheck
