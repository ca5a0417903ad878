#include "world/host_transport.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <sched.h>
#include <thread>

#include "mla/formats.hpp"

namespace helixcheck::mpi {
namespace {

using std::chrono::microseconds;
using std::chrono::steady_clock;

constexpr std::size_t kPiece = std::size_t{1} << 24;  // bytes of one message
constexpr int kTag = 0;

int piece_of(std::size_t bytes) {
  return static_cast<int>(std::min(bytes, kPiece));
}

}  // namespace

void await(Record& record, std::span<MPI_Request> requests) {
  const Life former = record.change(Life::waiting);
  const auto begin = steady_clock::now();
  const auto count = static_cast<int>(requests.size());
  for (int done = 0;;) {
    MPI_Testall(count, requests.data(), &done, MPI_STATUSES_IGNORE);
    if (done != 0) break;
    const auto waited = std::chrono::duration_cast<microseconds>(steady_clock::now() - begin);
    if (waited < microseconds{500}) {
      sched_yield();
    } else {
      std::this_thread::sleep_for(std::min<microseconds>(waited / 16, microseconds{1000}));
    }
  }
  record.change(former);
}

void Transfers::send(const std::byte* data, std::size_t bytes, int to) {
  for (std::size_t done = 0; done < bytes; done += kPiece) {
    MPI_Isend(data + done, piece_of(bytes - done), MPI_BYTE, to, kTag, communicator_, &add());
  }
}

void Transfers::receive(std::byte* data, std::size_t bytes, int from) {
  for (std::size_t done = 0; done < bytes; done += kPiece) {
    MPI_Irecv(data + done, piece_of(bytes - done), MPI_BYTE, from, kTag, communicator_, &add());
  }
}

HostTransport::HostTransport(MPI_Comm communicator, int kvp, Record& record)
    : communicator_(communicator), kvp_(kvp), record_(record) {
  MPI_Comm_rank(communicator, &rank_);
  MPI_Comm_size(communicator, &size_);
}

void HostTransport::move(Memory&, const Blocks& blocks) {
  const int begin = blocks.group == Group::kvp ? rank_ / kvp_ * kvp_ : 0;
  const auto* from = static_cast<const std::byte*>(blocks.send);
  auto* to = static_cast<std::byte*>(blocks.recv);
  Transfers transfers(communicator_);
  for (int member = 0; member < members(blocks.group); ++member) {
    const std::size_t place = static_cast<std::size_t>(member) * blocks.bytes;
    const std::byte* mine = blocks.gather ? from : from + place;
    if (begin + member == rank_) {
      if (blocks.bytes > 0) std::memcpy(to + place, mine, blocks.bytes);
      continue;
    }
    transfers.receive(to + place, blocks.bytes, begin + member);
    transfers.send(mine, blocks.bytes, begin + member);
  }
  transfers.finish(record_);
}

void HostTransport::add(Memory& memory, const Sum& sum) {
  const auto count = static_cast<std::size_t>(members(sum.group));
  const std::size_t bytes =
      static_cast<std::size_t>(sum.count) * size_of(static_cast<Dtype>(sum.dtype));
  const auto parts = std::make_unique_for_overwrite<std::byte[]>(count * bytes);
  move(memory, {sum.group, sum.send, parts.get(), bytes, !sum.scatter});
  std::vector<const void*> places;
  for (std::size_t member = 0; member < count; ++member) {
    places.push_back(parts.get() + member * bytes);
  }
  void* const recv = sum.recv;
  host_memory().sum({places, {&recv, 1}, members(sum.group), sum.count, sum.dtype, false});
}

}  // namespace helixcheck::mpi
