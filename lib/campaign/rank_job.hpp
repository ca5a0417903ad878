// A job of MPI ranks that runs scenarios for this process, which is above mpirun and outlives what
// the scenarios do to the ranks: a rank that dies or hangs ends the job, the run under way fails as
// a crash or a hang with the line that names the rank, and the next run gets a new job. The ranks
// live from run to run, so that thousands of scenarios cost one start.

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "run/run.hpp"

namespace helixcheck {

struct RankJobOrder {
  int ranks = 2;
  std::vector<std::string> arguments;      // argv of the ranks; they come to serve_runs
  std::function<bool()> interrupted = {};  // asked while waiting; empty: never
};

class RankJob {
 public:
  // Starts the ranks. Throws ResourceError if they do not come up.
  explicit RankJob(RankJobOrder order);
  ~RankJob();
  RankJob(const RankJob&) = delete;
  RankJob& operator=(const RankJob&) = delete;

  // Throws InputError and ResourceError as run_scenario does, for scenarios that are not for world
  // mpi or too large for the job too; ResourceError if interrupted; and std::runtime_error if there
  // can be no further job.
  RunResult run(const Scenario& scenario, bool repeat_failures);
  // The next run is in processes that have run nothing before.
  void end();
  int starts() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace helixcheck
