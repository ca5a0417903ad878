#include "fuzz/observation_row.hpp"

#include <cmath>
#include <ctime>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "scenario/json.hpp"

namespace helixcheck {
namespace {

const TapResult* worst_tap(const PropertyResult* result) {
  const TapResult* worst = nullptr;
  if (result == nullptr) return worst;
  for (const TapResult& tap : result->taps) {
    if (worst == nullptr || tap.worst_ratio > worst->worst_ratio) worst = &tap;
  }
  return worst;
}

std::string status_of(const PropertyResult* result) {
  return result == nullptr ? "unjudged" : result->failure ? "failed" : "passed";
}

// JSON has no infinities.
nlohmann::json number(double value) {
  return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json(fmt::format("{}", value));
}

nlohmann::json features_of(const CaseRow& row) {
  nlohmann::json found = nlohmann::json::object();
  if (row.drawn != nullptr) {
    for (std::size_t f = 0; f < row.drawn->selection.size(); ++f) {
      const Feature& feature = features()[f];
      found[std::string(feature.name)] = std::string(feature.levels[row.drawn->selection[f]].name);
    }
  }
  if (row.result == nullptr) return found;
  for (const TapResult& tap : row.result->taps) {
    found[fmt::format("ratio:{}", name_of(tap.tap))] = number(tap.worst_ratio);
  }
  return found;
}

}  // namespace

std::string time_of_day() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

CaseRecord case_record(const CaseRow& row, const std::string& scenario_text) {
  CaseRecord record;
  record.index = row.index;
  record.time = time_of_day();
  record.property = row.property;
  record.status = status_of(row.result);
  record.origin = row.origin;
  if (const TapResult* tap = worst_tap(row.result)) {
    record.tap = name_of(tap->tap);
    record.ratio = tap->worst_ratio;
  }
  record.seconds = row.seconds;
  record.scenario = scenario_text;
  return record;
}

std::string observation_row(const CaseRow& row) {
  const std::string status = status_of(row.result);
  nlohmann::json line;
  line["type"] = "test_case";
  line["run_start"] = row.run_start;
  line["property"] = row.property;
  line["status"] = status == "unjudged" ? "gave_up" : status;
  line["status_reason"] = row.result == nullptr ? "not judged"
                          : row.result->failure ? row.result->failure->blame.sentence
                                                : "";
  const std::string text = print_scenario(row.scenario);
  line["representation"] = text;
  line["arguments"] = {{"scenario", nlohmann::json::parse(text)}};
  line["how_generated"] = row.origin;
  line["features"] = features_of(row);
  line["coverage"] = nullptr;
  line["timing"] = {{"execute:test", row.seconds}};
  line["metadata"] = {{"case", row.index}};
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace helixcheck
