// The process that runs the code under test. It does what its supervisor orders until the stream of
// orders ends; whatever the code under test does to it, the journal says in which case.

#pragma once

#include <string>
#include <vector>

#include "run/run.hpp"
#include "subject/subject.hpp"

namespace helixcheck {

// Where a worker finds its supervisor: "ORDERS:ANSWERS:START:JOURNAL", two descriptors, when the
// campaign was started, seconds since 1970, and a path.
inline constexpr const char* kWorkerVariable = "HELIXCHECK_WORKER";
inline constexpr const char* kSupervisorVariable = "HELIXCHECK_SUPERVISOR";  // its process

// Was this process started as a worker?
bool is_worker();

struct WorkerOptions {
  std::uint64_t seed = 1;
  std::vector<std::string> properties;  // by name; empty: all
  bool guided = true;
  int mpi_ranks = 0;          // as in campaign/check.hpp
  bool observations = false;  // a line of JSON for each case
  RunOptions run;
};

// Signal handlers and limits of a worker: call first, before the subject is loaded, since loading
// it runs its code.
void prepare_worker();

void serve_supervisor(const Subject& subject, const WorkerOptions& options);

}  // namespace helixcheck
