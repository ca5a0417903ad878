// The one file of this room that includes the JSON library.

#include "report/json_report.hpp"

#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "generate/compatibility.hpp"
#include "report/findings.hpp"
#include "report/table.hpp"
#include "report/terminal.hpp"
#include "scenario/json.hpp"

namespace helixcheck {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) {
  if (std::isfinite(value)) return value;
  if (std::isnan(value)) return "nan";
  return value > 0 ? "inf" : "-inf";
}

// Axes that do not apply are left out.
Json place_json(const Place& place) {
  Json json = Json::object();
  const auto add = [&](const char* axis, std::int64_t value) {
    if (value >= 0) json[axis] = value;
  };
  add("step", place.step);
  add("request", place.request);
  add("row", place.row);
  add("head", place.head);
  add("rank", place.rank);
  add("element", place.element);
  return json;
}

Json tap_json(const TapResult& tap) {
  Json json;
  json["name"] = name_of(tap.tap);
  json["stage"] = name_of(stage_of(tap.tap));
  json["values"] = tap.values;
  json["failures"] = tap.failures;
  json["worst_ratio"] = number(tap.worst_ratio);
  json["blindness"] = number(tap.blindness);
  json["blind"] = tap.blindness > kBlind;
  json["exact"] = tap.exact;
  json["max_abs_error"] = number(tap.max_abs_error);
  json["worst"] = place_json(tap.worst);
  json["worst"]["got"] = number(tap.worst_got);
  json["worst"]["want"] = number(tap.worst_want);
  json["worst"]["bound"] = number(tap.worst_bound);
  return json;
}

Json blame_json(const Blame& blame) {
  Json json;
  json["sentence"] = blame.sentence;
  if (blame.stage) json["stage"] = name_of(*blame.stage);
  if (blame.tap) json["tap"] = name_of(*blame.tap);
  json["place"] = place_json(blame.place);
  return json;
}

Json run_json(const RunResult& result) {
  const Verdict& verdict = result.verdict;
  Json json;
  json["schema"] = kSchema;
  json["name"] = result.scenario.name;
  json["hash"] = content_hash(result.scenario);
  json["scenario"] = Json::parse(print_scenario(result.scenario));
  json["subject"] = result.subject;
  json["property"] = result.property.empty() ? "equivalence" : result.property;
  json["verdict"] = verdict.pass ? "pass" : "fail";
  if (!result.signature.empty()) json["signature"] = result.signature;
  if (const TapResult* worst = verdict.worst()) {
    json["worst"] = {{"tap", name_of(worst->tap)}, {"ratio", number(worst->worst_ratio)}};
  } else {
    json["worst"] = nullptr;
  }
  json["taps"] = Json::array();
  for (const TapResult& tap : verdict.taps) json["taps"].push_back(tap_json(tap));
  if (verdict.mismatch) {
    json["mismatch"] = {{"ratio", number(verdict.mismatch->ratio)},
                        {"max_abs_error", number(verdict.mismatch->max_abs_error)},
                        {"pass", verdict.mismatch->pass}};
  }
  if (verdict.blame) json["blame"] = blame_json(*verdict.blame);
  json["notes"] = verdict.notes;
  json["nondeterministic"] = result.repeated && !result.same_again;
  json["seconds"] = result.phases.total();
  json["phases"] = {{"inputs", result.phases.inputs},
                    {"subject", result.phases.subject},
                    {"judge", result.phases.judge}};
  json["output_hash"] = fmt::format("{:016x}", result.output_hash);
  json["replay"] = replay_command(result);
  return json;
}

Json explanation_json(const Explanation& explanation) {
  Json fields = Json::array();
  for (const FieldExplanation& field : explanation.fields) {
    fields.push_back({{"field", field.path},
                      {"fails_for", field.text},
                      {"matters", field.matters},
                      {"tried", field.tried},
                      {"failed", field.failed}});
  }
  return {{"sentence", to_text(explanation)}, {"fields", std::move(fields)}};
}

Json finding_json(const Finding& finding, const std::string& subject) {
  Json json;
  json["scenario"] = Json::parse(print_scenario(finding.scenario));
  json["before"] = Json::array();
  for (const Scenario& scenario : finding.before) {
    json["before"].push_back(Json::parse(print_scenario(scenario)));
  }
  json["signature"] = to_text(finding.signature);
  json["blame"] = blame_json(finding.blame);
  if (!finding.nondeterminism.empty()) json["nondeterminism"] = finding.nondeterminism;
  if (!finding.unconfirmed.empty()) json["unconfirmed"] = finding.unconfirmed;
  json["case"] = finding.case_index;
  json["seen_again"] = finding.seen_again;
  json["shrink_evaluations"] = finding.shrink_evaluations;
  json["locally_minimal"] = finding.locally_minimal;
  if (!finding.stopped_by.empty()) json["stopped_by"] = finding.stopped_by;
  json["explanation"] = explanation_json(finding.explanation);
  json["file"] = finding.file.string();
  if (!finding.not_stored.empty()) json["not_stored"] = finding.not_stored;
  json["replay"] = replay_command(finding, subject);
  return json;
}

}  // namespace

std::string json_of(const RunResult& result) {
  return run_json(result).dump(2) + "\n";
}

std::string json_of(std::span<const RunResult> results) {
  Json json;
  json["schema"] = kSchema;
  int passed = 0;
  double seconds = 0;
  Json runs = Json::array();
  for (const RunResult& result : results) {
    passed += result.verdict.pass ? 1 : 0;
    seconds += result.phases.total();
    runs.push_back(run_json(result));
  }
  json["passed"] = passed;
  json["failed"] = static_cast<int>(results.size()) - passed;
  json["seconds"] = seconds;
  json["runs"] = std::move(runs);
  return json.dump(2) + "\n";
}

std::string json_of(const CheckReport& report, const std::string& subject) {
  const Statistics& statistics = report.statistics;
  Json json;
  json["schema"] = kSchema;
  json["subject"] = subject;
  json["cases"] = statistics.cases();
  json["unjudged"] = statistics.unjudged();
  json["seconds"] = report.seconds;
  json["total_seconds"] = report.total_seconds;
  json["cases_per_second"] =
      report.seconds > 0 ? static_cast<double>(statistics.cases()) / report.seconds : 0.0;
  json["subject_runs"] = statistics.subject_runs();
  json["interrupted"] = report.interrupted;
  json["device_lost"] = report.device_lost;
  json["worst_ratio"] = number(statistics.worst_ratio());
  Json taps = Json::object();
  for (int i = 0; i < kTapCount; ++i) {
    const double ratio = statistics.worst_ratios()[static_cast<std::size_t>(i)];
    if (ratio > 0) taps[std::string(name_of(static_cast<Tap>(i)))] = number(ratio);
  }
  json["worst_ratios"] = std::move(taps);
  json["properties"] = statistics.by_property();
  json["pairs"] = {{"drawn", statistics.pairs_drawn()},
                   {"possible", Compatibility::get().pairs()},
                   {"impossible", Compatibility::get().exclusions().size()}};
  json["findings"] = Json::array();
  for (const Finding& finding : report.findings) {
    json["findings"].push_back(finding_json(finding, subject));
  }
  return json.dump(2) + "\n";
}

std::string json_of(const Finding& finding, const std::string& subject) {
  return finding_json(finding, subject).dump(2) + "\n";
}

std::string json_of(const std::vector<Table>& tables) {
  Json json;
  json["schema"] = kSchema;
  for (const Table& table : tables) {
    Json rows = Json::array();
    for (const std::vector<std::string>& row : table.rows) {
      Json object = Json::object();
      for (std::size_t i = 0; i < row.size(); ++i) object[table.columns[i]] = row[i];
      rows.push_back(std::move(object));
    }
    json[table.name] = std::move(rows);
  }
  return json.dump(2) + "\n";
}

}  // namespace helixcheck
