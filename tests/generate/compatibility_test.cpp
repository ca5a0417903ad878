// Which levels can meet: what is excluded is really impossible, and no more is excluded than that.

#include "generate/compatibility.hpp"

#include <gtest/gtest.h>
#include <optional>
#include <set>

#include "scenario/validate.hpp"

namespace helixcheck {
namespace {

const Compatibility& all() {
  return Compatibility::get();
}

bool plain(std::size_t level) {
  return level == first_level(feature_of(level));
}

std::string text(std::size_t a, std::size_t b) {
  return level_text(a) + " with " + level_text(b);
}

bool is_about_meaning(const std::string& reason) {
  return reason.find("has no meaning at entry") != std::string::npos;
}

void take(Selection& selection, std::size_t level) {
  const std::size_t feature = feature_of(level);
  selection[feature] = static_cast<std::uint8_t>(level - first_level(feature));
}

// Two levels, at an entry, among others that go with them and with each other.
Selection surrounded(std::size_t entry, std::size_t a, std::size_t b, Choices& choices) {
  Selection selection(features().size(), 0);
  std::vector<std::size_t> chosen{entry, a, b};
  for (const std::size_t level : chosen) take(selection, level);
  for (std::size_t feature = 1; feature < features().size(); ++feature) {
    if (feature == feature_of(a) || feature == feature_of(b)) continue;
    const std::size_t level =
        first_level(feature) + choices.below(features()[feature].levels.size());
    bool fits = true;
    for (const std::size_t other : chosen) fits = fits && all().together(level, other);
    if (!fits) continue;
    chosen.push_back(level);
    take(selection, level);
  }
  return selection;
}

// Entries at which both levels have a meaning, or the one that is a level of the pair.
std::vector<std::size_t> entries_of(std::size_t a, std::size_t b) {
  if (feature_of(a) == 0) return {a};
  std::vector<std::size_t> entries;
  for (std::size_t entry = 0; entry < features()[0].levels.size(); ++entry) {
    if (all().together(entry, a) && all().together(entry, b)) entries.push_back(entry);
  }
  return entries;
}

TEST(Compatibility, RelatesLevelsOfDifferentFeaturesBothWays) {
  std::size_t pairs = 0;
  for (std::size_t a = 0; a < level_count(); ++a) {
    for (std::size_t b = 0; b < level_count(); ++b) {
      EXPECT_EQ(all().together(a, b), all().together(b, a)) << text(a, b);
      EXPECT_EQ(all().together(a, b), all().with(a)[b]);
      const bool distinct = feature_of(a) != feature_of(b);
      EXPECT_TRUE(distinct || !all().together(a, b)) << text(a, b);
      pairs += a < b && all().together(a, b) ? 1 : 0;
    }
  }
  EXPECT_EQ(all().pairs(), pairs);
}

TEST(Compatibility, ListsEveryExclusionOnceWithAReason) {
  std::set<std::pair<std::size_t, std::size_t>> listed;
  for (const Compatibility::Exclusion& exclusion : all().exclusions()) {
    EXPECT_LT(exclusion.a, exclusion.b);
    EXPECT_NE(feature_of(exclusion.a), feature_of(exclusion.b));
    EXPECT_FALSE(all().together(exclusion.a, exclusion.b));
    EXPECT_FALSE(exclusion.reason.empty());
    EXPECT_TRUE(listed.emplace(exclusion.a, exclusion.b).second) << text(exclusion.a, exclusion.b);
  }
  std::size_t of_one_feature = 0;
  for (const Feature& feature : features()) {
    of_one_feature += feature.levels.size() * (feature.levels.size() - 1) / 2;
  }
  const std::size_t every = level_count() * (level_count() - 1) / 2;
  EXPECT_EQ(every, of_one_feature + listed.size() + all().pairs());
}

TEST(Compatibility, ExcludesNothingThatTheValidationTakes) {
  CounterChoices choices(1, 0);
  int checked = 0;
  for (const Compatibility::Exclusion& exclusion : all().exclusions()) {
    if (is_about_meaning(exclusion.reason)) continue;
    for (const std::size_t entry : entries_of(exclusion.a, exclusion.b)) {
      for (int i = 0; i < 10; ++i, ++checked) {
        const Selection selection = surrounded(entry, exclusion.a, exclusion.b, choices);
        EXPECT_TRUE(find_error(realise(selection, choices, Size::small)))
            << text(exclusion.a, exclusion.b) << ", said to break: " << exclusion.reason;
      }
    }
  }
  EXPECT_GT(checked, 500);
}

TEST(Compatibility, ExcludesForLackOfMeaningOnlyWhatTheTableSays) {
  const Entry entries[] = {Entry::core, Entry::layer, Entry::merge};
  int found = 0;
  for (const Compatibility::Exclusion& exclusion : all().exclusions()) {
    if (!is_about_meaning(exclusion.reason)) continue;
    ++found;
    ASSERT_EQ(feature_of(exclusion.a), 0u) << "only entries rule meanings out";
    const Feature& feature = features()[feature_of(exclusion.b)];
    EXPECT_FALSE(feature.has_meaning_at(entries[exclusion.a])) << exclusion.reason;
  }
  int wanted = 0;
  for (std::size_t f = 1; f < features().size(); ++f) {
    for (const Entry entry : entries) {
      if (!features()[f].has_meaning_at(entry)) {
        wanted += static_cast<int>(features()[f].levels.size()) - 1;
      }
    }
  }
  EXPECT_EQ(found, wanted);
}

TEST(Compatibility, PlainLevelsGoWithEverything) {
  for (std::size_t a = features()[0].levels.size(); a < level_count(); ++a) {
    if (!plain(a)) continue;
    for (std::size_t b = 0; b < level_count(); ++b) {
      if (feature_of(b) == feature_of(a)) continue;
      EXPECT_TRUE(all().together(a, b)) << text(a, b);
    }
  }
}

TEST(Compatibility, EveryLevelHasAnEntryAndAnyTwoThatMeetShareOne) {
  for (std::size_t a = features()[0].levels.size(); a < level_count(); ++a) {
    for (std::size_t b = a; b < level_count(); ++b) {
      if (a != b && !all().together(a, b)) continue;
      EXPECT_FALSE(entries_of(a, b).empty()) << text(a, b);
    }
  }
}

TEST(Compatibility, KnowsSomePairsByHeart) {
  const auto level = [](const std::string& wanted) {
    for (std::size_t i = 0; i < level_count(); ++i) {
      if (level_text(i) == wanted) return i;
    }
    ADD_FAILURE() << "no level " << wanted;
    return std::size_t{0};
  };
  EXPECT_FALSE(all().together(level("entry merge"), level("kvp 1")));
  EXPECT_FALSE(all().together(level("ownership contiguous"), level("decode_owner continued")));
  EXPECT_FALSE(all().together(level("entry layer"), level("family null_test")));
  EXPECT_FALSE(all().together(level("v_head_dim other"), level("family integers")));
  EXPECT_TRUE(all().together(level("entry layer"), level("v_head_dim other")));
  EXPECT_TRUE(all().together(level("entry merge"), level("family constant")));
  EXPECT_TRUE(all().together(level("kvp 1"), level("tpa 2")));
}

}  // namespace
}  // namespace helixcheck
