// Results as JSON for programs.

#pragma once

#include <span>
#include <string>

#include "run/run.hpp"

namespace helixcheck {

// One object: schema, name, hash, scenario, subject, verdict ("pass" or "fail"), worst {tap,
// ratio}, taps [{name, stage, values, failures, worst_ratio, blindness, blind, exact,
// max_abs_error, worst}], mismatch, blame, notes, nondeterministic, seconds, phases, output_hash,
// replay. Non-finite numbers are the strings "inf", "-inf" and "nan".
std::string json_of(const RunResult& result);

// {schema, passed, failed, seconds, runs: [...]}, runs as above.
std::string json_of(std::span<const RunResult> results);

}  // namespace helixcheck
