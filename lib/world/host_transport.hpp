// Host memory to host memory over MPI, point to point, in pieces that MPI's int counts can hold.

#pragma once

#include <mpi.h>
#include <span>
#include <vector>

#include "world/heartbeat.hpp"
#include "world/transport.hpp"

namespace helixcheck::mpi {

// Waits for requests as a rank that waits for others: visibly so to the watchdog, and without
// taking a core from them for long. The requests become MPI_REQUEST_NULL.
void await(Record& record, std::span<MPI_Request> requests);

// Transfers in flight; messages between the same two ranks arrive in the order of the calls.
class Transfers {
 public:
  explicit Transfers(MPI_Comm communicator) : communicator_(communicator) {}
  void send(const std::byte* data, std::size_t bytes, int to);
  void receive(std::byte* data, std::size_t bytes, int from);
  void finish(Record& record) { await(record, requests_); }

 private:
  MPI_Request& add() { return requests_.emplace_back(MPI_REQUEST_NULL); }

  MPI_Comm communicator_;
  std::vector<MPI_Request> requests_;
};

// Sums are taken in rank order from every member's values, as the simulated world does. What it is
// given must outlive it; ranks of `communicator` are those of the world, KVP groups runs of `kvp`.
class HostTransport final : public Transport {
 public:
  HostTransport(MPI_Comm communicator, int kvp, Record& record);
  std::string_view name() const override { return "host"; }
  void move(Memory& memory, const Blocks& blocks) override;
  void add(Memory& memory, const Sum& sum) override;

 private:
  int members(Group group) const { return group == Group::kvp ? kvp_ : size_; }

  MPI_Comm communicator_;
  int kvp_;
  Record& record_;
  int rank_ = 0;
  int size_ = 0;
};

}  // namespace helixcheck::mpi
