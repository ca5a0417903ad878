#include "sample_records.hpp"

namespace helixcheck {

Totals sample_totals(std::uint64_t from) {
  Totals t;
  t.seconds = static_cast<double>(from) + 0.25;
  t.busy_seconds = t.seconds * 2;
  t.cases = from * 100;
  t.unjudged = from + 1;
  t.subject_runs = from + 2;
  t.findings = from + 3;
  t.pairs = from + 4;
  t.tuples = from + 5;
  t.behaviours = from + 6;
  t.interesting = from + 7;
  t.restarts = from + 8;
  t.worst_ratio = 0.1 * static_cast<double>(from);
  return t;
}

CampaignRecord sample_campaign() {
  CampaignRecord c;
  c.uid = "";
  c.command = "helixcheck fuzz --time 8h";
  c.subject = "cpu";
  c.contract = "bf16";
  c.world = "sim";
  c.properties = {"equivalence", "ranks"};
  c.seed = 0xfedcba9876543210u;
  c.guided = false;
  c.jobs = 2;
  c.budget_seconds = 28800.5;
  c.budget_cases = 1000;
  c.commit = "0123456789ab";
  c.host = "node12";
  c.machine = "2 cores";
  c.started = "2026-11-22T20:15:03Z";
  c.ended = "2026-11-23T04:15:03Z";
  c.state = "running";
  c.next_case = 812;
  c.totals = sample_totals();
  return c;
}

FindingRecord sample_finding(const std::string& stage) {
  FindingRecord f;
  f.signature = "equivalence/cpu/value/" + stage;
  f.property = "equivalence";
  f.subject = "cpu";
  f.kind = "value";
  f.stage = stage;
  f.state = "new";
  f.first_seen = f.last_seen = "2026-11-22T20:15:03Z";
  f.first_commit = f.last_commit = "0123456789ab";
  f.first_campaign = f.last_campaign = 1;
  f.count = 1;
  f.case_index = 41;
  f.scenario_file = "{\"schema\": 1}";
  f.blame = "step 1: attend wrote ...";
  f.explanation = "fails for any batch";
  f.note = "ended by the limit";
  f.output = std::string("a\0b\xff\n", 5);  // what a worker prints is not always text
  f.replay = "helixcheck run --ctx-len 4";
  f.file = "corpus/regressions/equivalence_attend_047604bf.json";
  f.shrink_evaluations = 391;
  f.locally_minimal = true;
  return f;
}

CaseRecord sample_case(std::int64_t campaign) {
  return {campaign, 3,     "2026-11-22T20:15:03Z", "ranks", "passed", "series", "lse",
          0.5,      0.001, "{\"schema\": 1}"};
}

InterestingRecord sample_interesting(std::int64_t campaign) {
  return {campaign, 7, {0, 255, 1}, "ranks", "{\"schema\": 1}", "lse 2^-1"};
}

}  // namespace helixcheck
