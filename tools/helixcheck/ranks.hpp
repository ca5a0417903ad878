// Searches whose cases run in the ranks of an MPI job: `--world mpi` of check and fuzz.

#pragma once

#include <memory>

#include "campaign/rank_job.hpp"
#include "options.hpp"

namespace helixcheck {

// The part of a rank, see campaign/rank_service.hpp. Returns an exit status.
int serve_ranks(const Options& options);

// Starts the ranks with this command's arguments. Throws InputError inside an MPI job, and for
// properties other than the equivalence.
std::unique_ptr<RankJob> start_ranks(const Options& options);

}  // namespace helixcheck
