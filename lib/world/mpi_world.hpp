// The world of one rank a process: the same collectives as `sim`, over MPI and host memory.

#pragma once

#include <memory>
#include <mpi.h>

#include "world/heartbeat.hpp"
#include "world/world.hpp"

namespace helixcheck::mpi {

// Waits for a request as a rank that waits for others: visibly so to the watchdog, and without
// taking a core from them for long. The request becomes MPI_REQUEST_NULL.
void await(Record& record, std::span<MPI_Request> requests);

// Takes `communicator` (kvp * tpa ranks, in rank order) over and frees it. Every member destroys
// its world at the same point of the program. `record` must outlive the world.
std::unique_ptr<World> make_mpi_world(MPI_Comm communicator, int kvp, int tpa, Record& record);

}  // namespace helixcheck::mpi
