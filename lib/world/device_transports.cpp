#include "world/device_transports.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <vector>

#include "device/cuda.hpp"
#include "scenario/error.hpp"
#include "scenario/names.hpp"

namespace helixcheck::mpi {
namespace {

// What a rank tells the others of itself: texts that end with a zero.
struct Facts {
  std::array<char, 64> device{};
  std::array<char, 192> missing{};  // why it has no NCCL; empty: it has
};

template <std::size_t kSize>
void set(std::array<char, kSize>& to, const std::string& text) {
  std::copy_n(text.begin(), std::min(text.size(), kSize - 1), to.begin());
}

Facts facts_of(Memory& memory) {
  Facts facts;
  try {
    set(facts.device, cuda::module().device_id(memory));
    set(facts.missing, cuda::module().nccl_missing());
  } catch (const ResourceError& error) {  // the others are waiting for an answer
    set(facts.missing, error.what());
  }
  return facts;
}

// Why these ranks cannot have NCCL communicators with each other; empty: they can.
std::string obstacle_among(const std::vector<Facts>& facts) {
  for (std::size_t rank = 0; rank < facts.size(); ++rank) {
    if (facts[rank].missing[0] != 0) {
      return fmt::format("rank {}: {}", rank, facts[rank].missing.data());
    }
    for (std::size_t other = 0; other < rank; ++other) {
      if (facts[other].device != facts[rank].device) continue;
      return fmt::format("NCCL wants a GPU for each rank, but ranks {} and {} share {}", other,
                         rank, facts[rank].device.data());
    }
  }
  return "";
}

}  // namespace

const std::string& DeviceTransports::obstacle(Memory& memory, const Ranks& ranks) {
  const auto known = obstacles_.find(ranks.size);
  if (known != obstacles_.end()) return known->second;
  const Facts mine = facts_of(memory);
  std::vector<Facts> all(static_cast<std::size_t>(ranks.size));
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Iallgather(&mine, sizeof(Facts), MPI_BYTE, all.data(), sizeof(Facts), MPI_BYTE,
                 ranks.communicator, &request);
  await(record_, {&request, 1});
  return obstacles_[ranks.size] = obstacle_among(all);
}

bool DeviceTransports::nccl_serves(TransportKind wish, Memory& memory, const Ranks& ranks) {
  if (wish == TransportKind::staged) return false;
  const std::string& why_not = obstacle(memory, ranks);
  if (why_not.empty() || wish == TransportKind::automatic) return why_not.empty();
  throw ResourceError(
      fmt::format("transport {}: {}; transport staged works without", name_of(wish), why_not));
}

Transport& DeviceTransports::nccl(TransportKind wish, Memory& memory, const Ranks& ranks) {
  std::unique_ptr<cuda::NcclGroup>& group = groups_[ranks.size];
  if (!group) {
    const cuda::Broadcast broadcast = [this, &ranks](std::span<std::byte> data) {
      MPI_Request request = MPI_REQUEST_NULL;
      MPI_Ibcast(data.data(), static_cast<int>(data.size()), MPI_BYTE, 0, ranks.communicator,
                 &request);
      await(record_, {&request, 1});
    };
    group = cuda::module().make_nccl_group(memory, {ranks.rank, ranks.size}, broadcast);
  }
  return group->transport(ranks.kvp, wish == TransportKind::sendrecv);
}

}  // namespace helixcheck::mpi
