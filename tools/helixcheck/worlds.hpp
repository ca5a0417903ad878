// Which processes and worlds a command runs on.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "options.hpp"
#include "scenario/scenario.hpp"
#include "world/mpi.hpp"
#include "world/world.hpp"

namespace helixcheck {

// The path of this executable.
std::string own_path();

class Worlds {
 public:
  // Joins the MPI job this process was started in, if any.
  explicit Worlds(const Options& options);

  // Under mpirun without --world, scenarios run on the job's ranks.
  void choose_world(Scenario& scenario) const;

  // If a scenario asks for MPI and this is no MPI job: runs the whole command again under mpirun
  // and returns its exit status. nullopt: go on here.
  std::optional<int> relaunch(const std::vector<Scenario>& scenarios) const;

  // The world of one scenario; nullptr if this process takes no part in it.
  std::unique_ptr<World> make(const Scenario& scenario);

  bool is_root() const { return !session_ || session_->rank() == 0; }
  // For errors that only some ranks may see: ends the job, if there is one.
  void abort_job(int status, const std::string& why);

 private:
  const Options& options_;
  std::unique_ptr<mpi::Session> session_;
};

}  // namespace helixcheck
