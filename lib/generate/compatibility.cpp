// Each pair is tried with everything else at its plainest level, at each entry that takes both.

#include "generate/compatibility.hpp"

#include <fmt/format.h>
#include <optional>

#include "scenario/names.hpp"
#include "scenario/validate.hpp"

namespace helixcheck {
namespace {

// What is wrong with these levels (of distinct features) and plain ones otherwise.
std::optional<std::string> error_of(std::initializer_list<std::size_t> levels) {
  Selection selection(features().size(), 0);
  for (const std::size_t level : levels) {
    const std::size_t feature = feature_of(level);
    selection[feature] = static_cast<std::uint8_t>(level - first_level(feature));
  }
  CounterChoices choices(0, 0);
  return find_error(realise(selection, choices, Size::small));
}

Entry entry_of(std::size_t level) {
  CounterChoices choices(0, 0);
  Draft draft{{}, choices, Size::small};
  features()[0].levels[level].apply(draft);
  return draft.scenario.problem.entry;
}

}  // namespace

const Compatibility& Compatibility::get() {
  static const Compatibility all;
  return all;
}

Compatibility::Compatibility() : levels_(level_count()), with_(levels_) {
  assert(levels_ <= LevelSet().size());
  for (std::size_t a = 0; a < levels_; ++a) {
    for (std::size_t b = 0; b < levels_; ++b) with_[a][b] = feature_of(a) != feature_of(b);
  }
  ask_entries();
  ask_pairs();
  for (std::size_t a = 0; a < levels_; ++a) {
    for (std::size_t b = a + 1; b < levels_; ++b) pairs_ += together(a, b) ? 1 : 0;
  }
}

void Compatibility::exclude(std::size_t a, std::size_t b, std::string reason) {
  with_[a][b] = with_[b][a] = false;
  exclusions_.push_back(Exclusion{a, b, std::move(reason)});
}

void Compatibility::ask_entries() {
  const std::size_t entries = features()[0].levels.size();
  for (std::size_t entry = 0; entry < entries; ++entry) {
    for (std::size_t level = entries; level < levels_; ++level) {
      const Feature& feature = features()[feature_of(level)];
      const bool plain = level == first_level(feature_of(level));
      if (!plain && !feature.has_meaning_at(entry_of(entry))) {
        exclude(
            entry, level,
            fmt::format("{} has no meaning at entry {}", feature.name, name_of(entry_of(entry))));
      } else if (auto error = error_of({entry, level})) {
        exclude(entry, level, *std::move(error));
      }
    }
  }
}

void Compatibility::ask_pairs() {
  const std::size_t entries = features()[0].levels.size();
  for (std::size_t a = entries; a < levels_; ++a) {
    for (std::size_t b = first_level(feature_of(a)) + features()[feature_of(a)].levels.size();
         b < levels_; ++b) {
      std::string reason = "no entry takes both";
      bool possible = false;
      for (std::size_t entry = 0; entry < entries && !possible; ++entry) {
        if (!together(entry, a) || !together(entry, b)) continue;
        const auto error = error_of({entry, a, b});
        possible = !error;
        if (error) reason = *error;
      }
      if (!possible) exclude(a, b, std::move(reason));
    }
  }
}

}  // namespace helixcheck
