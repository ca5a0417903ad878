// Scores of mutants, for people and for programs.

#pragma once

#include <string>

#include "mutants/fixed_suite.hpp"
#include "mutants/score.hpp"

namespace helixcheck {

std::string describe(const ScoreReport& report);
std::string describe(const FixedReport& report, FixedVerdict verdict);

// {schema, suite, total, killed, median_cases, worst_cases, findings, blame_right, locally_minimal,
// as_small, halves {tuning: {the same}, "held-out": {the same}}, correct {cases, false_alarms},
// seconds {total, drawing, inputs, running, shrinking}, interrupted, mutants [{id, class, stage,
// half, memory, killed, cases_to_kill {median, worst, seeds}, seconds_to_kill {median, worst},
// missed_seeds, blame, blame_right, blames {stage: seeds}, property, signature, shrink_evaluations,
// shrunk, before, locally_minimal, stopped_by, smallest, smallest_fails, as_small, broken}]}. What
// needs a finding is null where there is none.
std::string json_of(const ScoreReport& report);

// {schema, suite, verdict, scenarios, total, killed, killed_independent, halves, correct {killed,
// runs}, seconds, interrupted, mutants [{id, class, half, killed, killed_independent, killed_by,
// blame, blame_right, runs [{scenario, killed, one_rank, independent, sentence}]}]}. What a verdict
// does not know is left out.
std::string json_of(const FixedReport& report, FixedVerdict verdict);

}  // namespace helixcheck
