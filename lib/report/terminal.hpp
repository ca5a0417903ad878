// Results as text for people. No decoration: the same on a terminal and in a log.

#pragma once

#include <span>
#include <string>

#include "run/run.hpp"
#include "scenario/scenario.hpp"

namespace helixcheck {

// One run in full: verdict, tap table, blame, notes, and the line that reproduces it.
std::string describe(const RunResult& result);

// The head and one line a run of a summary table: scenario, verdict, worst tap and ratio,
// blindness, seconds. `width`: columns for the name.
std::string summary_head(std::size_t width);
std::string summary_line(const RunResult& result, std::size_t width);

// The command that repeats a run: "helixcheck run --batch 4 ...".
std::string replay_command(const RunResult& result);

}  // namespace helixcheck
