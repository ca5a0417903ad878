// The thread between a launcher and the job it starts: whether the ranks came up at all. mpirun
// returns 1 for its own failures too, which must not pass for a finding.

#pragma once

namespace helixcheck::mpi {

// Called by rank 0 once MPI is up; does nothing in a job that `launch` did not start.
void tell_launcher();

}  // namespace helixcheck::mpi
