// One line a mutant, then what they come to, all and by halves.

#include "report/mutants_report.hpp"

#include <fmt/format.h>
#include <map>

#include "report/exact_json.hpp"
#include "report/table.hpp"
#include "scenario/json.hpp"
#include "scenario/print.hpp"

namespace helixcheck {
namespace {

constexpr std::array kHalves{Half::tuning, Half::held_out};

template <typename Score>
std::vector<const Score*> pointers_to(const std::vector<Score>& scores) {
  std::vector<const Score*> pointers;
  for (const Score& score : scores) pointers.push_back(&score);
  return pointers;
}

template <typename Score>
std::vector<const Score*> of_half(const std::vector<Score>& scores, Half half) {
  std::vector<const Score*> pointers;
  for (const Score& score : scores) {
    if (score.half == half) pointers.push_back(&score);
  }
  return pointers;
}

std::string yes(bool value) {
  return value ? "yes" : "NO";
}

// Of a fixed suite: who was not through may yet be killed.
std::string yes(bool killed, bool finished) {
  return killed || finished ? yes(killed) : "?";
}

std::uint64_t kills(const MutantScore& score) {
  std::uint64_t count = 0;
  for (const SeedScore& seed : score.seeds) count += seed.killed;
  return count;
}

std::vector<std::string> row_of(const MutantScore& score) {
  std::vector<std::string> row{
      std::string(score.mutant->id),
      std::string(name_of(score.half)),
      score.killed() ? "yes" : fmt::format("{}/{}", kills(score), score.seeds.size()),
      fmt::format("{}", score.median_cases()),
      fmt::format("{}", score.worst_cases()),
      fmt::format("{:.2g}", score.median_seconds()),
      fmt::format("{:.2g}", score.worst_seconds())};
  if (!score.finding) {
    row.insert(row.end(), {"-", "-", "-", "-", "-"});
    return row;
  }
  const Finding& finding = *score.finding;
  const std::string blame = score.blame();
  row.push_back(score.blame_right() ? blame
                                    : fmt::format("{}, NOT {}", blame.empty() ? "none" : blame,
                                                  stage_name(score.mutant->stage)));
  row.push_back(fmt::format("{}", finding.shrink_evaluations));
  row.push_back(yes(finding.locally_minimal));
  row.push_back(score.smallest ? yes(score.as_small) : "?");
  row.push_back(fmt::format("{}", fmt::join(print_arguments(finding.scenario), " ")));
  return row;
}

std::string line_of(const std::string& what, const ScoreTotals& totals) {
  return fmt::format(
      "{}: {} of {} killed; cases to a kill: median {}, worst {}; of {} findings: blame right {}, "
      "locally minimal {}, as small as the known smallest {}; of {} kills in all seeds, before "
      "shrinking: blame right {}\n",
      what, totals.killed, totals.total, totals.median_cases, totals.worst_cases, totals.findings,
      totals.blame_right, totals.locally_minimal, totals.as_small, totals.kills,
      totals.kills_blamed_right);
}

// What a table has no room for.
std::string remarks_on(const MutantScore& score) {
  std::string text;
  const auto add = [&](const std::string& remark) {
    text += fmt::format("{}: {}\n", score.mutant->id, remark);
  };
  if (!score.smallest_error.empty()) add(score.smallest_error);
  if (score.smallest && !score.smallest_fails) {
    add(fmt::format("passes its known smallest scenario, {}",
                    fmt::join(print_arguments(*score.smallest), " ")));
  }
  for (const SeedScore& seed : score.seeds) {
    if (!seed.killed && seed.broken.empty()) add(fmt::format("survives seed {}", seed.seed));
    if (!seed.broken.empty()) add(fmt::format("seed {} broke off: {}", seed.seed, seed.broken));
  }
  if (!score.finding) return text;
  const Finding& finding = *score.finding;
  if (finding.signature.property != "equivalence") {
    add(fmt::format("found by {} alone", finding.signature.property));
  }
  if (!finding.nondeterminism.empty()) add("the verdict changes: " + finding.nondeterminism);
  if (!finding.unconfirmed.empty()) add("not confirmed: " + finding.unconfirmed);
  if (!finding.stopped_by.empty()) add("shrinking was stopped by " + finding.stopped_by);
  if (score.smaller) {
    add(fmt::format("simpler than the known smallest, {}",
                    fmt::join(print_arguments(*score.smallest), " ")));
  }
  if (!score.as_small && score.smallest) {
    add(fmt::format("known smallest: {}", fmt::join(print_arguments(*score.smallest), " ")));
  }
  return text;
}

// How the report of an interrupted run ends, and that of a whole one.
template <typename Report>
std::string ending_of(const Report& report) {
  std::vector<std::string_view> open;
  for (const auto& score : report.scores) {
    if (!score.finished) open.push_back(score.mutant->id);
  }
  std::string text;
  if (!open.empty()) {
    text = fmt::format("not through, so that their rows are no result: {} of {}: {}\n", open.size(),
                       report.scores.size(), fmt::join(open, ", "));
  }
  return text + fmt::format("{}{:.1f} s\n", report.interrupted ? "interrupted after " : "",
                            report.total_seconds);
}

Json totals_json(const ScoreTotals& totals) {
  return {{"total", totals.total},
          {"killed", totals.killed},
          {"median_cases", totals.median_cases},
          {"worst_cases", totals.worst_cases},
          {"findings", totals.findings},
          {"kills", totals.kills},
          {"kills_blamed_right", totals.kills_blamed_right},
          {"blame_right", totals.blame_right},
          {"locally_minimal", totals.locally_minimal},
          {"as_small", totals.as_small}};
}

Json finding_json(const MutantScore& score) {
  Json json = {{"blame", nullptr},     {"blame_right", nullptr},        {"property", nullptr},
               {"signature", nullptr}, {"shrink_evaluations", nullptr}, {"shrunk", nullptr},
               {"before", nullptr},    {"locally_minimal", nullptr},    {"stopped_by", nullptr},
               {"as_small", nullptr}};
  if (!score.finding) return json;
  const Finding& finding = *score.finding;
  json["blame"] = score.blame();
  json["blame_right"] = score.blame_right();
  json["property"] = finding.signature.property;
  json["signature"] = to_text(finding.signature);
  json["shrink_evaluations"] = finding.shrink_evaluations;
  json["shrunk"] = Json::parse(print_scenario(finding.scenario));
  json["before"] = finding.before.size();
  json["locally_minimal"] = finding.locally_minimal;
  json["stopped_by"] = finding.stopped_by;
  if (score.smallest) json["as_small"] = score.as_small;
  return json;
}

Json json_of(const MutantScore& score) {
  Json cases = Json::array(), missed = Json::array(), broken = Json::array();
  std::map<std::string, std::uint64_t> blames;
  for (const SeedScore& seed : score.seeds) {
    cases.push_back(seed.cases);
    if (!seed.killed) missed.push_back(seed.seed);
    if (!seed.broken.empty()) broken.push_back(seed.broken);
    if (seed.killed) ++blames[seed.stage];
  }
  Json json = {
      {"id", score.mutant->id},
      {"class", name_of(score.mutant->mutant_class)},
      {"stage", stage_name(score.mutant->stage)},
      {"half", name_of(score.half)},
      {"memory", name_of(score.mutant->memory())},
      {"finished", score.finished},
      {"killed", score.killed()},
      {"cases_to_kill",
       {{"median", score.median_cases()}, {"worst", score.worst_cases()}, {"seeds", cases}}},
      {"seconds_to_kill", {{"median", score.median_seconds()}, {"worst", score.worst_seconds()}}},
      {"missed_seeds", missed},
      {"blames", blames}};
  json.update(finding_json(score));
  json["smallest"] =
      score.smallest ? Json::parse(print_scenario(*score.smallest)) : Json(score.smallest_error);
  json["smallest_fails"] = score.smallest_fails;
  json["broken"] = broken;
  return json;
}

std::string percent(double share) {
  return fmt::format("{:.2f} %", 100 * share);
}

double worst_of(const FixedScore& score, double FixedRun::*share) {
  double worst = 0;
  for (const FixedRun& run : score.runs) worst = std::max(worst, run.*share);
  return worst;
}

std::string line_of(const std::string& what, const std::vector<const FixedScore*>& scores,
                    FixedVerdict verdict) {
  std::size_t killed = 0, independent = 0, right = 0;
  for (const FixedScore* score : scores) {
    killed += score->killed();
    independent += score->killed_independent();
    right += score->blame == stage_name(score->mutant->stage);
  }
  if (verdict == FixedVerdict::bounds) {
    return fmt::format("{}: {} of {} killed, {} with the right blame\n", what, killed,
                       scores.size(), right);
  }
  return fmt::format(
      "{}: {} of {} killed against the same code on one rank, {} against the fp64 reference\n",
      what, killed, scores.size(), independent);
}

Json totals_json(const std::vector<const FixedScore*>& scores, FixedVerdict verdict) {
  std::size_t killed = 0, independent = 0;
  for (const FixedScore* score : scores) {
    killed += score->killed();
    independent += score->killed_independent();
  }
  Json json = {{"total", scores.size()}, {"killed", killed}};
  if (verdict == FixedVerdict::mismatch) json["killed_independent"] = independent;
  return json;
}

Json runs_json(const FixedScore& score, FixedVerdict verdict) {
  Json runs = Json::array();
  for (const FixedRun& run : score.runs) {
    Json json = {{"scenario", run.scenario}, {"killed", run.killed}};
    if (verdict == FixedVerdict::mismatch) {
      json["one_rank"] = run.one_rank;
      json["independent"] = run.independent;
    }
    if (!run.sentence.empty()) json["sentence"] = run.sentence;
    runs.push_back(std::move(json));
  }
  return runs;
}

}  // namespace

std::string describe(const ScoreReport& report) {
  Table table{"mutants",
              {"mutant", "half", "killed", "cases", "worst", "seconds", "worst", "blame",
               "shrinking", "minimal", "as small", "shrunk to"},
              {}};
  std::string remarks;
  for (const MutantScore& score : report.scores) {
    table.rows.push_back(row_of(score));
    remarks += remarks_on(score);
  }
  std::string text = text_of(table) + "\n" + remarks;
  text += line_of("all", totals_of(pointers_to(report.scores)));
  for (const Half half : kHalves) {
    text += line_of(std::string(name_of(half)), totals_of(of_half(report.scores, half)));
  }
  text += fmt::format("correct subject: {} cases, {} false alarms\n", report.correct_cases,
                      report.false_alarms.size());
  for (const FalseAlarm& alarm : report.false_alarms) {
    text += fmt::format("  seed {}, case {}: {}\n", alarm.seed, alarm.case_index, alarm.sentence);
  }
  return text + ending_of(report);
}

std::string describe(const FixedReport& report, FixedVerdict verdict) {
  const bool mismatch = verdict == FixedVerdict::mismatch;
  Table table{"mutants", {"mutant", "half", "killed", "by"}, {}};
  if (mismatch) {
    table.columns.insert(table.columns.end(), {"worst share", "killed by fp64", "worst share"});
  } else {
    table.columns.push_back("blame");
  }
  for (const FixedScore& score : report.scores) {
    const std::string by = score.killed_by();
    std::vector<std::string> row{std::string(score.mutant->id), std::string(name_of(score.half)),
                                 yes(score.killed(), score.finished), by.empty() ? "-" : by};
    if (mismatch) {
      row.insert(row.end(), {percent(worst_of(score, &FixedRun::one_rank)),
                             yes(score.killed_independent(), score.finished),
                             percent(worst_of(score, &FixedRun::independent))});
    } else {
      row.push_back(score.blame.empty() ? "-" : score.blame);
    }
    table.rows.push_back(std::move(row));
  }
  std::string text = text_of(table) + "\n";
  text += line_of("all", pointers_to(report.scores), verdict);
  for (const Half half : kHalves) {
    text += line_of(std::string(name_of(half)), of_half(report.scores, half), verdict);
  }
  text += fmt::format("correct subject: {} ({} of {} scenarios)\n",
                      report.correct.killed() ? "FAILS" : "passes", report.correct.runs.size(),
                      report.scenarios.size());
  return text + ending_of(report);
}

std::string json_of(const ScoreReport& report) {
  Json json = {{"schema", 1}, {"suite", "search"}};
  json.update(totals_json(totals_of(pointers_to(report.scores))));
  for (const Half half : kHalves) {
    json["halves"][std::string(name_of(half))] =
        totals_json(totals_of(of_half(report.scores, half)));
  }
  json["correct"] = {{"cases", report.correct_cases}, {"false_alarms", Json::array()}};
  for (const FalseAlarm& alarm : report.false_alarms) {
    json["correct"]["false_alarms"].push_back(
        {{"seed", alarm.seed}, {"case", alarm.case_index}, {"sentence", alarm.sentence}});
  }
  json["seconds"] = {{"total", report.total_seconds},
                     {"drawing", report.times.drawing},
                     {"inputs", report.times.inputs},
                     {"running", report.times.running},
                     {"shrinking", report.shrinking}};
  json["interrupted"] = report.interrupted;
  json["mutants"] = Json::array();
  for (const MutantScore& score : report.scores) json["mutants"].push_back(json_of(score));
  return json.dump(2) + "\n";
}

std::string json_of(const FixedReport& report, FixedVerdict verdict) {
  const bool mismatch = verdict == FixedVerdict::mismatch;
  Json json = {{"schema", 1},
               {"suite", "fixed8"},
               {"verdict", mismatch ? "mismatch" : "bounds"},
               {"scenarios", report.scenarios}};
  json.update(totals_json(pointers_to(report.scores), verdict));
  for (const Half half : kHalves) {
    json["halves"][std::string(name_of(half))] = totals_json(of_half(report.scores, half), verdict);
  }
  json["correct"] = {{"killed", report.correct.killed()},
                     {"runs", runs_json(report.correct, verdict)}};
  json["seconds"] = report.total_seconds;
  json["interrupted"] = report.interrupted;
  json["mutants"] = Json::array();
  for (const FixedScore& score : report.scores) {
    Json one = {{"id", score.mutant->id},
                {"class", name_of(score.mutant->mutant_class)},
                {"half", name_of(score.half)},
                {"finished", score.finished},
                {"killed", score.killed()}};
    if (mismatch) one["killed_independent"] = score.killed_independent();
    one["killed_by"] = score.killed_by();
    if (!mismatch) {
      one["blame"] = score.blame;
      one["blame_right"] = score.blame == stage_name(score.mutant->stage);
    }
    one["runs"] = runs_json(score, verdict);
    json["mutants"].push_back(std::move(one));
  }
  return json.dump(2) + "\n";
}

}  // namespace helixcheck
