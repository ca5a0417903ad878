// Each field against its own range, for all fields of the table.

#include <algorithm>
#include <fmt/format.h>

#include "scenario/fields.hpp"
#include "scenario/rules.hpp"
#include "scenario/value_text.hpp"

namespace helixcheck {
namespace {

constexpr std::size_t kMaxTextBytes = 1024;
constexpr std::size_t kMaxLabels = 32;

Broken check_text(std::string_view path, std::string_view text) {
  if (text.size() > kMaxTextBytes) {
    return fmt::format("{} has {} bytes, but it must have at most {}", path, text.size(),
                       kMaxTextBytes);
  }
  if (!is_printable(text)) {
    return fmt::format("{} must be well-formed UTF-8 without control characters", path);
  }
  return std::nullopt;
}

// Where a value stands. Its text is made only when something is wrong with the value: a search
// checks many thousand scenarios a second.
struct Path {
  const Path* parent = nullptr;
  std::string_view name;
  std::optional<std::size_t> index{};

  std::string text() const {
    std::string text = parent == nullptr ? "" : parent->text() + ".";
    text += name;
    if (index) text += fmt::format("[{}]", *index);
    return text;
  }
};

class RangeChecker {
 public:
  explicit RangeChecker(const Path& path) : path_(path) {}

  template <Scalar T>
  void operator()(const Field& field, const T& value) {
    if (broken_) return;
    const Path path{&path_, field.name};
    if constexpr (std::same_as<T, std::string>) {
      if (!value.empty()) broken_ = check_text(path.text(), value);
    } else if constexpr (Enumeration<T>) {
      const auto known = names<T>();
      const bool found = std::any_of(known.begin(), known.end(),
                                     [value](const auto& entry) { return entry.first == value; });
      if (!found) broken_ = fmt::format("{} must be {}", path.text(), wanted<T>());
    } else if constexpr (std::same_as<T, std::optional<double>>) {
      if (value) check_number(field, path, *value);
    } else if constexpr (!std::same_as<T, bool> && !std::same_as<T, std::uint64_t>) {
      check_number(field, path, value);
    }
  }
  void operator()(const Field& field, const std::vector<std::int64_t>& lengths) {
    if (broken_) return;
    if (lengths.empty() || std::ssize(lengths) > kMaxBatch) {
      broken_ = fmt::format("problem.batch is {}, but it must be between 1 and {}", lengths.size(),
                            kMaxBatch);
    }
    const bool ragged = !all_equal(lengths);
    for (std::size_t i = 0; i < lengths.size() && !broken_; ++i) {
      const auto index = ragged ? std::optional(i) : std::nullopt;
      check_number(field, {&path_, field.name, index}, lengths[i]);
    }
  }
  void operator()(const Field& field, const std::optional<RopeScaling>& scaling) {
    if (scaling) check_block({&path_, field.name}, *scaling);
  }
  void operator()(const Field& field, const Data& data) { check_block({&path_, field.name}, data); }
  void operator()(const Field& field, const std::vector<HeavyKey>& keys) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      check_block({&path_, field.name, i}, keys[i]);
    }
  }

  const Broken& broken() const { return broken_; }

 private:
  // Written so that NaN is out of every range. Integers compare as doubles, exact up to 2^53; the
  // limits are far below.
  template <typename T>
  void check_number(const Field& field, const Path& path, T value) {
    const auto number = static_cast<double>(value);
    if (broken_ || (number >= field.min && number <= field.max)) return;
    broken_ = fmt::format("{} is {}, but it must be between {} and {}", path.text(), value,
                          field.min, field.max);
  }
  template <typename Block>
  void check_block(const Path& path, const Block& block) {
    if (broken_) return;
    RangeChecker inner(path);
    visit_fields(inner, block);
    broken_ = inner.broken_;
  }

  const Path path_;
  Broken broken_;
};

template <typename Block>
Broken check_ranges(std::string_view name, const Block& block) {
  RangeChecker checker(Path{nullptr, name});
  visit_fields(checker, block);
  return checker.broken();
}

}  // namespace

Broken check_fields(const Scenario& scenario) {
  if (const Broken broken = check_text("name", scenario.name)) return broken;
  if (scenario.labels.size() > kMaxLabels) {
    return fmt::format("labels has {} entries, but it must have at most {}", scenario.labels.size(),
                       kMaxLabels);
  }
  for (std::size_t i = 0; i < scenario.labels.size(); ++i) {
    const std::string path = fmt::format("labels[{}]", i);
    if (scenario.labels[i].empty()) return path + " must not be empty";
    if (const Broken broken = check_text(path, scenario.labels[i])) return broken;
  }
  if (const Broken broken = check_ranges("problem", scenario.problem)) return broken;
  if (const Broken broken = check_ranges("layout", scenario.layout)) return broken;
  return check_ranges("run", scenario.run);
}

}  // namespace helixcheck
