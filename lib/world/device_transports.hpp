// What tensors on GPUs travel by, chosen by the ranks of a world together, and what is kept from
// one world of a job to the next.

#pragma once

#include <map>
#include <memory>
#include <mpi.h>
#include <string>

#include "device/nccl.hpp"
#include "scenario/scenario.hpp"
#include "world/host_transport.hpp"
#include "world/staged_transport.hpp"

namespace helixcheck::mpi {

// The ranks of a world: the first ones of the job.
struct Ranks {
  MPI_Comm communicator = MPI_COMM_NULL;
  int rank = 0;
  int size = 1;
  int kvp = 1;
};

class DeviceTransports {
 public:
  explicit DeviceTransports(Record& record) : record_(record) {}

  // Collective over the ranks, with the same wish. Whether NCCL serves it. Throws ResourceError, on
  // every rank, where it was asked for and cannot.
  bool nccl_serves(TransportKind wish, Memory& memory, const Ranks& ranks);
  // Collective over the ranks, after a yes. Errors may be this rank's alone.
  Transport& nccl(TransportKind wish, Memory& memory, const Ranks& ranks);

  Staging& staging() { return staging_; }
  // NCCL ends before MPI does, and when no rank can need it any more.
  void end_nccl() { groups_.clear(); }

 private:
  const std::string& obstacle(Memory& memory, const Ranks& ranks);

  Record& record_;
  Staging staging_;
  // By the number of ranks, which are always the first of the job.
  std::map<int, std::string> obstacles_;
  std::map<int, std::unique_ptr<cuda::NcclGroup>> groups_;
};

}  // namespace helixcheck::mpi
