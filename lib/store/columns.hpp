// Which fields of a record are which columns of its table, in the same order.

#pragma once

#include <algorithm>
#include <concepts>
#include <string>
#include <tuple>
#include <type_traits>

#include "store/records.hpp"

namespace helixcheck::columns {

template <typename T, typename Record>
concept Is = std::same_as<std::remove_const_t<T>, Record>;

inline const std::string kTotals =
    "seconds, busy_seconds, cases, unjudged, subject_runs, findings, pairs, tuples, behaviours, "
    "interesting, restarts, worst_ratio";

template <Is<Totals> T>
auto of(T& t) {
  return std::tie(t.seconds, t.busy_seconds, t.cases, t.unjudged, t.subject_runs, t.findings,
                  t.pairs, t.tuples, t.behaviours, t.interesting, t.restarts, t.worst_ratio);
}

inline const std::string kCampaign =
    "uid, command, subject, contract, world, properties, seed, guided, jobs, budget_seconds, "
    "budget_cases, commit_hash, host, machine, started, ended, state, next_case, " +
    kTotals;

template <Is<CampaignRecord> C>
auto of(C& c) {
  return std::tuple_cat(
      std::tie(c.uid, c.command, c.subject, c.contract, c.world, c.properties, c.seed, c.guided,
               c.jobs, c.budget_seconds, c.budget_cases, c.commit, c.host, c.machine, c.started,
               c.ended, c.state, c.next_case),
      of(c.totals));
}

inline const std::string kProgress = "campaign, time, " + kTotals;

template <Is<ProgressRecord> P>
auto of(P& p) {
  return std::tuple_cat(std::tie(p.campaign, p.time), of(p.totals));
}

// What describes a finding; when and how often it was seen are sightings.
inline const std::string kDescription =
    "signature, property, subject, kind, stage, state, scenario_file, blame, explanation, note, "
    "output, replay, file, shrink_evaluations, locally_minimal";

template <Is<FindingRecord> F>
auto description_of(F& f) {
  return std::tie(f.signature, f.property, f.subject, f.kind, f.stage, f.state, f.scenario_file,
                  f.blame, f.explanation, f.note, f.output, f.replay, f.file, f.shrink_evaluations,
                  f.locally_minimal);
}

inline const std::string kSighting =
    "campaign, cases, case_index, first_seen, last_seen, first_commit, last_commit";

template <Is<SightingRecord> S>
auto of(S& s) {
  return std::tie(s.campaign, s.count, s.case_index, s.first_seen, s.last_seen, s.first_commit,
                  s.last_commit);
}

inline const std::string kCase =
    "campaign, case_index, time, property, status, origin, tap, ratio, seconds, scenario";

template <Is<CaseRecord> C>
auto of(C& c) {
  return std::tie(c.campaign, c.index, c.time, c.property, c.status, c.origin, c.tap, c.ratio,
                  c.seconds, c.scenario);
}

inline const std::string kInteresting = "campaign, case_index, genome, property, scenario, reason";

template <Is<InterestingRecord> I>
auto of(I& i) {
  return std::tie(i.campaign, i.index, i.genome, i.property, i.scenario, i.reason);
}

inline const std::string kEvent = "campaign, time, text";

template <Is<EventRecord> E>
auto of(E& e) {
  return std::tie(e.campaign, e.time, e.text);
}

// "(?, ?, ?)", one for each column.
inline std::string parameters(const std::string& columns) {
  std::string marks = "(?";
  for (auto n = std::count(columns.begin(), columns.end(), ','); n > 0; --n) marks += ", ?";
  return marks + ")";
}

inline std::string insert_into(const std::string& table, const std::string& columns) {
  return "INSERT INTO " + table + " (" + columns + ") VALUES " + parameters(columns);
}

}  // namespace helixcheck::columns
