// Levels are numbered, so that a table of some ten thousand pairs stays small.

#include "report/coverage_json.hpp"

#include <algorithm>
#include <map>
#include <string>

#include "generate/compatibility.hpp"
#include "generate/features.hpp"
#include "helix/taps.hpp"
#include "report/campaign_view.hpp"

namespace helixcheck {
namespace {

using Numbers = std::map<std::string, std::size_t, std::less<>>;

struct Levels {
  Numbers numbers;  // by text
  Json features = Json::array();

  std::size_t number_of(const std::string& text) {
    const auto [known, fresh] = numbers.emplace(text, numbers.size());
    if (fresh) {
      features.push_back({{"name", text}, {"first", known->second}, {"levels", Json::array({""})}});
    }
    return known->second;
  }
};

Levels known_levels() {
  Levels levels;
  for (std::size_t l = 0; l < level_count(); ++l) levels.numbers.emplace(level_text(l), l);
  for (std::size_t f = 0; f < features().size(); ++f) {
    Json names = Json::array();
    for (const Level& level : features()[f].levels) names.push_back(level.name);
    levels.features.push_back(
        {{"name", features()[f].name}, {"first", first_level(f)}, {"levels", std::move(names)}});
  }
  return levels;
}

void add_impossible(Json& json) {
  std::map<std::string, std::size_t> reasons;
  json["impossible"] = Json::array();
  json["reasons"] = Json::array();
  for (const Compatibility::Exclusion& pair : Compatibility::get().exclusions()) {
    const auto [reason, fresh] = reasons.emplace(pair.reason, reasons.size());
    if (fresh) json["reasons"].push_back(pair.reason);
    json["impossible"].push_back({pair.a, pair.b, reason->second});
  }
}

}  // namespace

Json taps_json(const std::vector<TapRecord>& taps) {
  Json json = Json::array();
  for (const TapRecord& tap : in_pipeline_order(taps)) {
    const int place = place_in_pipeline(tap.tap);
    Json cases = Json::array();
    for (const auto& [log2, count] : tap.cases) cases.push_back({Json(log2), exact(count)});
    json.push_back({{"tap", tap.tap},
                    {"stage", place < kTapCount ? name_of(stage_of(static_cast<Tap>(place))) : ""},
                    {"worst_ratio", number(tap.worst_ratio)},
                    {"cases", std::move(cases)}});
  }
  return json;
}

Json coverage_json(const std::vector<PairRecord>& pairs) {
  Levels levels = known_levels();
  std::map<std::pair<std::size_t, std::size_t>, std::uint64_t> counts;
  for (const PairRecord& pair : pairs) {
    if (pair.count == 0) continue;
    const std::size_t a = levels.number_of(pair.a), b = levels.number_of(pair.b);
    counts[std::minmax(a, b)] += pair.count;
  }
  Json drawn = Json::array(), never = Json::array();
  std::size_t distinct = 0;
  for (const auto& [pair, count] : counts) {
    drawn.push_back({Json(pair.first), Json(pair.second), exact(count)});
    distinct += pair.first != pair.second ? 1 : 0;
  }
  const Compatibility& compatibility = Compatibility::get();
  for (std::size_t a = 0; a < level_count(); ++a) {
    for (std::size_t b = a + 1; b < level_count(); ++b) {
      if (compatibility.together(a, b) && !counts.contains({a, b})) never.push_back({a, b});
    }
  }
  Json json;
  json["features"] = std::move(levels.features);
  json["possible"] = compatibility.pairs();
  json["drawn"] = distinct;
  json["pairs"] = std::move(drawn);
  json["never"] = std::move(never);
  add_impossible(json);
  return json;
}

}  // namespace helixcheck
