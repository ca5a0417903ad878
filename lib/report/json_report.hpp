// Results as JSON for programs.

#pragma once

#include <span>
#include <string>

#include "campaign/check.hpp"
#include "run/run.hpp"

namespace helixcheck {

// One object: schema, name, hash, scenario, subject, verdict ("pass" or "fail"), worst {tap,
// ratio}, taps [{name, stage, values, failures, worst_ratio, blindness, blind, exact,
// max_abs_error, worst}], mismatch, blame, notes, nondeterministic, seconds, phases, output_hash,
// replay. Non-finite numbers are the strings "inf", "-inf" and "nan".
std::string json_of(const RunResult& result);

// {schema, passed, failed, seconds, runs: [...]}, runs as above.
std::string json_of(std::span<const RunResult> results);

// {schema, subject, cases, unjudged, seconds (of searching), total_seconds, cases_per_second,
// subject_runs, interrupted, worst_ratio, worst_ratios {tap: ratio}, properties {name: cases},
// pairs {drawn, possible, impossible}, findings [...]}; a finding is {scenario, before, signature,
// blame, nondeterminism, case, seen_again, shrink_evaluations, locally_minimal, stopped_by,
// explanation {sentence, fields}, file, not_stored, replay}. `subject`: as on the command line.
std::string json_of(const CheckReport& report, const std::string& subject);
std::string json_of(const Finding& finding, const std::string& subject);

}  // namespace helixcheck
