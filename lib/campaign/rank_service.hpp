// The ranks of a job that run scenarios for a search outside of it: see rank_job.hpp.

#pragma once

#include <string>

#include "run/run.hpp"
#include "subject/subject.hpp"
#include "world/mpi.hpp"

namespace helixcheck {

// Holds the paths by which the search is reached: "ORDERS:ANSWERS".
inline constexpr const char* kServiceVariable = "HELIXCHECK_RANK_SERVICE";

// Was this process started to serve a search?
bool is_rank_service();

// Collective over the job. Runs what the search orders, each scenario on the job's first ranks,
// until it closes the stream. What a subject does wrong ends one run, a rank that dies ends the
// job.
void serve_runs(mpi::Session& session, const Subject& subject, const RunOptions& options);

}  // namespace helixcheck
