// What mpi_test starts: `mpi_ranks RANKS MODE [ARGUMENT...]` launches itself under mpirun and lets
// its ranks do what MODE says: compare with the simulated world, disagree, die, or hang.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <signal.h>
#include <string>
#include <unistd.h>
#include <vector>

#include "mla/formats.hpp"
#include "scenario/error.hpp"
#include "scenario/names.hpp"
#include "support/deferred_memory.hpp"
#include "world/mpi.hpp"

namespace {

using helixcheck::Bytes;
using helixcheck::Dtype;
using helixcheck::Group;
using helixcheck::World;
using Buffer = std::vector<std::byte>;

// The same for every process, so that each can compute what any rank sends.
Buffer random_buffer(int seed, int rank, std::size_t bytes) {
  std::uint32_t state = static_cast<std::uint32_t>(seed * 64 + rank + 1);
  Buffer buffer(bytes);
  for (std::byte& byte : buffer) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<std::byte>(state >> 24);
  }
  return buffer;
}

struct Sizes {
  int blocks;           // that a rank sends
  int received_blocks;  // that it gets
  std::size_t bytes;    // of a block
};

// Runs `collective(world, send, recv)` in `world` and in a simulated one; true if the ranks of this
// process received the same.
template <typename Collective>
bool same_as_sim(World& world, helixcheck::Memory& memory, const Sizes& sizes,
                 Collective collective) {
  const auto [blocks, received_blocks, bytes] = sizes;
  const auto sim = helixcheck::make_sim_world(world.kvp(), world.tpa());
  const std::size_t received = static_cast<std::size_t>(received_blocks) * bytes;
  std::vector<Buffer> send, recv;
  std::vector<const void*> from;
  std::vector<void*> to;
  for (int rank = 0; rank < world.size(); ++rank) {
    send.push_back(random_buffer(1, rank, static_cast<std::size_t>(blocks) * bytes));
    recv.emplace_back(received);
  }
  for (const Buffer& buffer : send) from.push_back(buffer.data());
  for (Buffer& buffer : recv) to.push_back(buffer.data());
  collective(*sim, from, to);

  const auto first = static_cast<std::size_t>(world.first_local());
  Buffer mine(received, std::byte{0xee});
  const std::vector<const void*> my_from = {from[first]};
  const std::vector<void*> my_to = {mine.data()};
  world.use(memory);
  collective(world, my_from, my_to);
  memory.synchronize();
  return mine == recv[first];
}

bool collectives_match(World& world, helixcheck::Memory& memory, std::size_t bytes) {
  bool same = true;
  for (const Group group : {Group::kvp, Group::all}) {
    const int members = world.group_size(group);
    const auto all_to_all = [&](World& any, const auto& from, const auto& to) {
      any.all_to_all(group, from, to, bytes, 0);
    };
    const auto all_gather = [&](World& any, const auto& from, const auto& to) {
      any.all_gather(group, from, to, bytes, 0);
    };
    same = same_as_sim(world, memory, {members, members, bytes}, all_to_all) && same;
    same = same_as_sim(world, memory, {1, members, bytes}, all_gather) && same;
  }
  return same;
}

// Random bits: among them infinities and values without number.
bool sums_match(World& world, helixcheck::Memory& memory, std::size_t bytes) {
  bool same = true;
  for (const Dtype dtype : {Dtype::fp32, Dtype::fp16, Dtype::bf16}) {
    const auto count = static_cast<std::int64_t>(bytes / size_of(dtype));
    const std::size_t block = static_cast<std::size_t>(count) * size_of(dtype);
    for (const Group group : {Group::kvp, Group::all}) {
      const auto all_reduce = [&](World& any, const auto& from, const auto& to) {
        any.all_reduce(group, from, to, count, static_cast<int>(dtype), 0);
      };
      const auto reduce_scatter = [&](World& any, const auto& from, const auto& to) {
        any.reduce_scatter(group, from, to, count, static_cast<int>(dtype), 0);
      };
      const int members = world.group_size(group);
      same = same_as_sim(world, memory, {1, 1, block}, all_reduce) && same;
      same = same_as_sim(world, memory, {members, 1, block}, reduce_scatter) && same;
    }
  }
  return same;
}

// Sizes differ from rank to rank, and are 0 at rank 1.
bool gather_matches(World& world, std::size_t bytes) {
  const auto size_at = [bytes](int rank) { return rank == 1 ? 0 : bytes + std::size_t(rank); };
  const Buffer mine = random_buffer(2, world.first_local(), size_at(world.first_local()));
  const auto all = world.gather_to_root(std::vector<Bytes>{mine});
  if (!world.is_root()) return all.empty();
  bool same = static_cast<int>(all.size()) == world.size();
  for (int rank = 0; same && rank < world.size(); ++rank) {
    const Bytes bytes_of_rank = all[static_cast<std::size_t>(rank)];
    const Buffer received(bytes_of_rank.begin(), bytes_of_rank.end());
    same = received == random_buffer(2, rank, size_at(rank));
  }
  return same;
}

// Every rank's answer travels to the root; true at the root if all are true.
bool all_true(World& world, bool mine) {
  const auto flag = static_cast<std::byte>(mine);
  bool all = true;
  for (const Bytes& answer : world.gather_to_root(std::vector<Bytes>{{&flag, 1}})) {
    all = all && answer.front() != std::byte{0};
  }
  return all;
}

// `memory` "host", or a transport of memory that is not the host's.
int compare(helixcheck::mpi::Session& session, int kvp, int tpa, std::size_t bytes,
            const std::string& memory) {
  using helixcheck::TransportKind;
  const auto transport = helixcheck::parse_name<TransportKind>(memory);
  static helixcheck::DeferredMemory deferred;  // outlives the session
  helixcheck::Memory& used = transport ? deferred : helixcheck::host_memory();
  const auto world = session.make_world(kvp, tpa, transport.value_or(TransportKind::automatic));
  if (!world) return 0;
  world->enter_harness("compare", 0);
  bool same = collectives_match(*world, used, bytes);
  same = sums_match(*world, used, std::min(bytes, std::size_t{100000})) && same;
  same = gather_matches(*world, bytes) && same;
  same = world->agree(world->is_root()) && !world->agree(!world->is_root()) && same;
  const bool all = all_true(*world, same);
  if (world->is_root()) fmt::print("{} ranks: {}\n", world->size(), all ? "same" : "different");
  return world->is_root() && !all ? 1 : 0;
}

// Rank 1 enters another collective than the rest, or none at all.
int disagree(helixcheck::mpi::Session& session, bool leave) {
  try {
    const auto world = session.make_world(session.size(), 1);
    Buffer send(4096 * static_cast<std::size_t>(session.size()));
    Buffer recv = send;
    const void* from = send.data();
    void* to = recv.data();
    if (world->first_local() != 1) {
      world->all_to_all(Group::kvp, {&from, 1}, {&to, 1}, 4096, 2);
    } else if (!leave) {
      world->all_gather(Group::all, {&from, 1}, {&to, 1}, 64, 2);
    }
  } catch (const helixcheck::SubjectError& error) {
    if (session.rank() == 0) fmt::print("{}\n", error.what());
    return session.rank() == 0 ? 1 : 0;
  }
  return 0;
}

void fall_out(const std::string& how, std::unique_ptr<World>& world) {
  if (how == "kill") raise(SIGKILL);
  if (how == "stop") raise(SIGSTOP);
  if (how == "term") {
    kill(getpid(), SIGTERM);
    for (;;) pause();  // the watchdog names the stage it finds this rank in
  }
  if (how == "abort") std::abort();
  if (how == "segv") raise(SIGSEGV);
  if (how == "exit") std::exit(0);
  if (how == "_exit") _exit(0);
  if (how == "sleep") {
    for (;;) pause();
  }
  if (how == "forget") (void)world.release();  // ends the session inside a living world
}

// Rank `culprit` (-1: all of them) falls out of stage attend of step 7 while the others wait.
int misbehave(helixcheck::mpi::Session& session, int culprit, const std::string& how) {
  auto world = session.make_world(session.size(), 1);
  fmt::print("rank {} is up\n", session.rank());
  (void)world->agree(true);
  world->enter("attend", 7);
  if (culprit < 0 || session.rank() == culprit) fall_out(how, world);
  if (world) (void)world->agree(true);
  return 0;
}

// Rank 0 takes longer than the hang limit over something else between two worlds.
int pause_between_worlds(helixcheck::mpi::Session& session) {
  for (int step = 0; step < 2; ++step) {
    if (step == 1 && session.rank() == 0) sleep(2);
    const auto world = session.make_world(session.size(), 1);
    world->enter("attend", step);
    (void)world->agree(true);
  }
  return 0;
}

// For the sanitizers: what they forgive MPI must not hide this.
int leak() {
  static volatile std::size_t size = 1000;
  char* lost = new char[size];
  lost[0] = 'x';
  return 0;
}

int run_rank(const std::vector<std::string>& arguments) {
  std::setvbuf(stdout, nullptr, _IOFBF, 1 << 16);  // mpirun's terminal would flush each line
  // On a starved machine a healthy rank may be silent for a second.
  helixcheck::mpi::Session session(std::chrono::seconds(3));
  const std::string& mode = arguments[2];
  const auto number = [&](std::size_t i) { return std::stoi(arguments.at(i)); };
  if (mode == "compare") {
    return compare(session, number(3), number(4), std::stoul(arguments.at(5)), arguments.at(6));
  }
  if (mode == "disagree") return disagree(session, false);
  if (mode == "leave") return disagree(session, true);
  if (mode == "status") return session.rank() == 0 ? number(3) : 0;
  if (mode == "pause") return pause_between_worlds(session);
  if (mode == "leak") return session.rank() == 1 ? leak() : 0;
  if (mode == "give_up" && session.rank() == number(3)) session.abort(number(4), "had enough");
  return misbehave(session, number(3), arguments.at(4));
}

}  // namespace

int main(int count, char** values) {
  const std::vector<std::string> arguments(values, values + count);
  try {
    if (helixcheck::mpi::inside_job()) return run_rank(arguments);
    return helixcheck::mpi::launch(std::stoi(arguments.at(1)), arguments);
  } catch (const helixcheck::ResourceError& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 3;
  }
}
