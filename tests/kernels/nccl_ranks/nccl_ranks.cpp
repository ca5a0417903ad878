// `nccl_ranks RANKS MODE` starts itself under mpirun, each rank on a GPU of its own.
//   compare  blocks through alltoall, sendrecv and staged are the simulated world's bits; sums are
//            within the bound of any order of addition, and exact where no order loses a bit
//   absent   rank 1 never enters a collective of NCCL that rank 0 waits in
// Exit status 77, after the reason, where there are fewer GPUs than ranks.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fmt/format.h>
#include <string>
#include <unistd.h>
#include <vector>

#include "device/cuda.hpp"
#include "mla/formats.hpp"
#include "scenario/error.hpp"
#include "scenario/names.hpp"
#include "world/mpi.hpp"
#include "world/transport.hpp"

namespace {

using namespace helixcheck;
using Buffer = std::vector<std::byte>;

constexpr int kSkipped = 77;
constexpr TransportKind kKinds[] = {TransportKind::alltoall, TransportKind::sendrecv,
                                    TransportKind::staged};

int failures = 0;

void expect(bool holds, const World& world, const std::string& what) {
  if (holds) return;
  ++failures;
  fmt::print(stderr, "rank {}: {}\n", world.first_local(), what);
}

// The ranks of a group that `rank` belongs to start here and are consecutive.
int group_begin(const World& world, Group group, int rank) {
  return group == Group::kvp ? rank / world.kvp() * world.kvp() : 0;
}

// The same for every process.
std::uint32_t random_bits(int rank, std::size_t i) {
  auto x = static_cast<std::uint32_t>(i) * 2654435761U + static_cast<std::uint32_t>(rank) * 40503U;
  x = (x ^ (x >> 15)) * 2246822519U;
  x = (x ^ (x >> 13)) * 3266489917U;
  return x ^ (x >> 16);
}

Buffer random_bytes(int rank, std::size_t bytes) {
  Buffer buffer(bytes);
  for (std::size_t i = 0; i < bytes; ++i) buffer[i] = static_cast<std::byte>(random_bits(rank, i));
  return buffer;
}

// Runs `collective(send, recv)` on the GPU and brings the result back.
template <typename Collective>
Buffer on_device(const Buffer& input, std::size_t output_bytes, Collective collective) {
  Memory& memory = cuda::memory();
  const Block send(memory, std::max<std::size_t>(input.size(), 1));
  const Block recv(memory, std::max<std::size_t>(output_bytes, 1));
  const Block staging(memory, std::max(send.size(), recv.size()), Block::Side::host);
  if (!input.empty()) std::memcpy(staging.data(), input.data(), input.size());
  memory.upload(send.data(), staging.data(), input.size());
  memory.fill(recv.data(), std::byte{0xee}, output_bytes);
  memory.synchronize();
  const void* const from = send.data();
  void* const to = recv.data();
  collective(std::span(&from, 1), std::span(&to, 1));
  memory.download(staging.data(), recv.data(), output_bytes);
  memory.synchronize();
  return Buffer(staging.data(), staging.data() + output_bytes);
}

// Random bytes, so that a payload may look like any number, flag or poison.
void compare_blocks(World& world, Group group, std::size_t bytes, const std::string& label) {
  const auto members = static_cast<std::size_t>(world.group_size(group));
  const int rank = world.first_local(), begin = group_begin(world, group, rank);
  Buffer exchanged, gathered;
  for (int member = begin; member < begin + static_cast<int>(members); ++member) {
    const Buffer sent = random_bytes(member, members * bytes);
    const auto* mine = sent.data() + static_cast<std::size_t>(rank - begin) * bytes;
    exchanged.insert(exchanged.end(), mine, mine + bytes);
    gathered.insert(gathered.end(), sent.data(), sent.data() + bytes);
  }
  const Buffer sent = random_bytes(rank, members * bytes);
  const Buffer first(sent.begin(), sent.begin() + static_cast<std::ptrdiff_t>(bytes));
  expect(on_device(sent, members * bytes,
                   [&](auto from, auto to) { world.all_to_all(group, from, to, bytes, 0); }) ==
             exchanged,
         world, label + ": all_to_all differs");
  expect(on_device(first, members * bytes,
                   [&](auto from, auto to) { world.all_gather(group, from, to, bytes, 0); }) ==
             gathered,
         world, label + ": all_gather differs");
}

struct Summand {
  Dtype dtype;
  bool whole;         // small whole numbers: exact in any order
  double unit;        // rounding error of one addition, relative
  std::size_t count;  // values of a result
};

std::vector<float> values_of(const Summand& summand, int rank, std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t bits = random_bits(rank, i);
    values[i] = summand.whole ? static_cast<float>(bits % 15) - 7
                              : static_cast<float>(bits >> 8) * 0x1p-23f - 1.0f;
  }
  Buffer stored(count * size_of(summand.dtype));
  encode_from(summand.dtype, std::span<const float>(values), stored.data());
  decode_to(summand.dtype, stored.data(), std::span<float>(values));
  return values;
}

void compare_sum(World& world, Group group, const Summand& summand, bool scatter,
                 const std::string& label) {
  const int rank = world.first_local(), begin = group_begin(world, group, rank);
  const int members = world.group_size(group);
  const std::size_t count = summand.count, item = size_of(summand.dtype);
  const std::size_t sent = scatter ? static_cast<std::size_t>(members) * count : count;
  const std::size_t skip = scatter ? static_cast<std::size_t>(rank - begin) * count : 0;
  std::vector<double> exact(count), size(count);
  for (int member = begin; member < begin + members; ++member) {
    const std::vector<float> values = values_of(summand, member, sent);
    for (std::size_t i = 0; i < count; ++i) {
      exact[i] += static_cast<double>(values[skip + i]);
      size[i] += std::abs(static_cast<double>(values[skip + i]));
    }
  }
  Buffer input(sent * item);
  encode_from(summand.dtype, std::span<const float>(values_of(summand, rank, sent)), input.data());
  const Buffer output = on_device(input, count * item, [&](auto from, auto to) {
    const auto values = static_cast<std::int64_t>(count);
    const auto dtype = static_cast<std::int32_t>(summand.dtype);
    if (scatter) {
      world.reduce_scatter(group, from, to, values, dtype, 0);
    } else {
      world.all_reduce(group, from, to, values, dtype, 0);
    }
  });
  std::vector<float> sums(count);
  decode_to(summand.dtype, output.data(), std::span<float>(sums));
  for (std::size_t i = 0; i < count; ++i) {
    const double bound = summand.whole ? 0 : members * summand.unit * size[i];
    const double error = std::abs(static_cast<double>(sums[i]) - exact[i]);
    if (error <= bound) continue;
    return expect(false, world,
                  fmt::format("{}: {} {} of {} values, value {} is {}, exactly {}", label,
                              scatter ? "reduce_scatter" : "all_reduce", name_of(summand.dtype),
                              count, i, sums[i], exact[i]));
  }
}

void compare_world(mpi::Session& session, int kvp, int tpa, TransportKind kind) {
  const auto world = session.make_world(kvp, tpa, kind);
  if (!world) return;
  world->use(cuda::memory());
  world->enter("compare", 0);
  for (const Group group : {Group::kvp, Group::all}) {
    const std::string label = fmt::format("kvp {} x tpa {}, {}, {}", kvp, tpa, name_of(kind),
                                          group == Group::kvp ? "KVP groups" : "all ranks");
    for (const std::size_t bytes : {0, 1, 17, 4096, 1028 * 37, 1 << 20}) {
      compare_blocks(*world, group, bytes, fmt::format("{}, {} bytes", label, bytes));
    }
    for (const auto& [dtype, unit] :
         {std::pair(Dtype::fp32, 0x1p-24), std::pair(Dtype::fp16, 0x1p-11),
          std::pair(Dtype::bf16, 0x1p-8)}) {
      for (const std::size_t count : {1, 33, 70000}) {
        for (const bool whole : {true, false}) {
          for (const bool scatter : {false, true}) {
            compare_sum(*world, group, {dtype, whole, unit, count}, scatter, label);
          }
        }
      }
    }
  }
}

// Twice, since communicators are kept.
int compare(mpi::Session& session) {
  for (int round = 0; round < 2; ++round) {
    for (int size = 1; size <= session.size(); size *= 2) {
      for (int tpa = 1; tpa <= size; tpa *= 2) {
        for (const TransportKind kind : kKinds) compare_world(session, size / tpa, tpa, kind);
      }
    }
  }
  const auto world = session.make_world(session.size(), 1);
  const auto mine = static_cast<std::byte>(failures != 0);
  bool pass = true;
  for (const Bytes& flag : world->gather_to_root(std::vector<Bytes>{{&mine, 1}})) {
    pass = pass && flag[0] == std::byte{0};
  }
  if (world->is_root()) fmt::print("{} ranks: {}\n", session.size(), pass ? "same" : "different");
  return world->is_root() && !pass ? 1 : 0;
}

// Goes behind the world's back, which would have noticed.
int absent(mpi::Session& session) {
  const auto world = session.make_world(session.size(), 1);
  const cuda::Broadcast broadcast = [&](std::span<std::byte> data) {
    Buffer all(data.size() * static_cast<std::size_t>(world->size()));
    const void* const from = data.data();
    void* const to = all.data();
    world->all_gather(Group::all, {&from, 1}, {&to, 1}, data.size(), 0);
    std::memcpy(data.data(), all.data(), data.size());
  };
  Memory& memory = cuda::memory();
  const auto group =
      cuda::module().make_nccl_group(memory, {session.rank(), session.size()}, broadcast);
  Transport& transport = group->transport(session.size(), false);
  const Block send(memory, 8192), recv(memory, 8192);
  for (int step = 2; step < 4; ++step) {
    world->enter("exchange", step);
    if (step == 3 && session.rank() == 1) {
      world->enter_harness("elsewhere", step);
      for (;;) pause();
    }
    transport.move(memory, {Group::all, send.data(), recv.data(), 4096, false});
    transport.settle(memory);
  }
  return 0;
}

// Why this machine cannot run it; empty: it can.
std::string obstacle(int ranks) {
  try {
    const auto devices = static_cast<int>(cuda::module().devices().size());
    if (devices < ranks)
      return fmt::format("{} ranks want a GPU each, there are {}", ranks, devices);
    return cuda::module().nccl_missing();
  } catch (const ResourceError& error) {
    return error.what();
  }
}

int run(const std::vector<std::string>& arguments) {
  const int ranks = std::stoi(arguments.at(1));
  if (!mpi::inside_job()) {
    const std::string why_not = obstacle(ranks);
    if (why_not.empty()) return mpi::launch(ranks, arguments);
    fmt::print("nccl_ranks: skipped: {}\n", why_not);
    return kSkipped;
  }
  mpi::Session session(std::chrono::seconds(arguments.at(2) == "absent" ? 3 : 30));
  return arguments.at(2) == "absent" ? absent(session) : compare(session);
}

}  // namespace

int main(int count, char** values) {
  try {
    return run({values, values + count});
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 3;
  }
}
