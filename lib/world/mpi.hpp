// The MPI side of the world: starting ranks, and a world of one rank a process.
// Built with or without MPI; without it every call says what is missing.

#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "scenario/scenario.hpp"
#include "world/world.hpp"

namespace helixcheck::mpi {

bool available();       // was this binary built with MPI?
std::string library();  // "Open MPI v4.1.4 ...", or why there is none
bool inside_job();      // was this process started by mpirun?

// The MPI library for the life of the process, with a watchdog thread: a rank of this job that
// dies, or that stays in one stage for longer than `hang_limit`, ends the whole job with one line
// that names rank, host and stage. On CUDA the process keeps to the device of its rank among those
// of its host. Constructed once, in main, by processes inside a job.
class Session {
 public:
  explicit Session(std::chrono::seconds hang_limit = std::chrono::seconds(20));
  ~Session();
  int rank() const;
  int size() const;
  // A world over the first kvp * tpa ranks of the job; nullptr on the ranks beyond them.
  // `transport` is for tensors on GPUs; a memory of a GPU that worlds use outlives the session.
  // Throws ResourceError if the job has fewer ranks, naming both numbers.
  std::unique_ptr<World> make_world(int kvp, int tpa,
                                    TransportKind transport = TransportKind::automatic);
  // Collective over the job: every rank's text, in rank order.
  std::vector<std::string> exchange_texts(const std::string& mine);
  // Ends every rank of the job at once with this exit status, after a line that says why.
  [[noreturn]] void abort(int status, const std::string& why);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Runs `arguments` (argv[0] first, an absolute path) under mpirun with `ranks` ranks, passing
// stdin/stdout/stderr and signals through, and returns the exit status of rank 0, or 1 if a rank
// was ended. Knows what mpirun needs as root and with more ranks than cores. The program must
// construct a Session. Throws ResourceError if mpirun is not there or cannot start the ranks.
int launch(int ranks, const std::vector<std::string>& arguments);

}  // namespace helixcheck::mpi
