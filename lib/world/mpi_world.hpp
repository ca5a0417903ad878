// The world of one rank a process: the same collectives as `sim`, over MPI or between GPUs.

#pragma once

#include <memory>
#include <mpi.h>

#include "scenario/scenario.hpp"
#include "world/device_transports.hpp"
#include "world/heartbeat.hpp"
#include "world/watchdog.hpp"
#include "world/world.hpp"

namespace helixcheck::mpi {

// What the worlds of a job share; outlives them.
struct JobParts {
  Record& record;
  Watchdog& watchdog;
  DeviceTransports& transports;
};

struct WorldShape {
  int kvp = 1;
  int tpa = 1;
  TransportKind transport = TransportKind::automatic;  // of tensors that lie on a GPU
};

// Takes `communicator` (kvp * tpa ranks, in rank order) over and frees it. Every member destroys
// its world at the same point of the program.
std::unique_ptr<World> make_mpi_world(MPI_Comm communicator, const WorldShape& shape,
                                      const JobParts& job);

}  // namespace helixcheck::mpi
