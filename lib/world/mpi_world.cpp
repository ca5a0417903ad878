// Collectives over MPI. Before each, every rank of the world states what it enters and all check
// that they agree; then the blocks travel point to point, in pieces that MPI's int counts can hold.

#include "world/mpi_world.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <sched.h>
#include <thread>

#include "mla/formats.hpp"
#include "scenario/error.hpp"
#include "world/statement.hpp"

namespace helixcheck::mpi {
namespace {

using std::chrono::microseconds;
using std::chrono::steady_clock;

constexpr std::size_t kPiece = std::size_t{1} << 24;  // bytes of one message
constexpr int kTag = 0;

// Transfers in flight; messages between the same two ranks arrive in the order of the calls.
class Transfers {
 public:
  explicit Transfers(MPI_Comm communicator) : communicator_(communicator) {}

  void send(const std::byte* data, std::size_t bytes, int to) {
    for (std::size_t done = 0; done < bytes; done += kPiece) {
      MPI_Isend(data + done, count(bytes - done), MPI_BYTE, to, kTag, communicator_, &add());
    }
  }

  void receive(std::byte* data, std::size_t bytes, int from) {
    for (std::size_t done = 0; done < bytes; done += kPiece) {
      MPI_Irecv(data + done, count(bytes - done), MPI_BYTE, from, kTag, communicator_, &add());
    }
  }

  void finish(Record& record) { await(record, requests_); }

 private:
  static int count(std::size_t bytes) { return static_cast<int>(std::min(bytes, kPiece)); }
  MPI_Request& add() { return requests_.emplace_back(MPI_REQUEST_NULL); }

  MPI_Comm communicator_;
  std::vector<MPI_Request> requests_;
};

class MpiWorld final : public World {
 public:
  MpiWorld(MPI_Comm communicator, int kvp, int tpa, Record& record)
      : World(kvp, tpa),
        communicator_(communicator),
        record_(record),
        statements_(static_cast<std::size_t>(kvp * tpa)) {
    MPI_Comm_rank(communicator_, &rank_);
  }

  ~MpiWorld() override {
    try {
      state({Collective::leave});
    } catch (const SubjectError&) {
      // The ranks that are still in a collective report it; this one is on its way out already.
    }
    MPI_Comm_free(&communicator_);
    record_.enter(Life::harness, "between worlds", -1);
  }

  std::string_view name() const override { return "mpi"; }
  int first_local() const override { return rank_; }
  int local_ranks() const override { return 1; }

  void all_to_all(Group group, std::span<const void* const> send, std::span<void* const> recv,
                  std::size_t bytes, std::int64_t step) override {
    exchange({Collective::all_to_all, group, step, static_cast<std::int64_t>(bytes)}, send, recv);
  }

  void all_gather(Group group, std::span<const void* const> send, std::span<void* const> recv,
                  std::size_t bytes, std::int64_t step) override {
    exchange({Collective::all_gather, group, step, static_cast<std::int64_t>(bytes)}, send, recv);
  }

  void all_reduce(Group group, std::span<const void* const> send, std::span<void* const> recv,
                  std::int64_t count, std::int32_t dtype, std::int64_t step) override {
    sum({Collective::all_reduce, group, step, count}, send, recv, dtype);
  }

  void reduce_scatter(Group group, std::span<const void* const> send, std::span<void* const> recv,
                      std::int64_t count, std::int32_t dtype, std::int64_t step) override {
    sum({Collective::reduce_scatter, group, step, count}, send, recv, dtype);
  }

  std::vector<Bytes> gather_to_root(std::span<const Bytes> local) override;

  bool agree(bool root_says) override {
    state({Collective::agree, Group::all, -1, root_says ? 1 : 0});
    return statements_.front().value != 0;
  }

  void enter(std::string_view stage, std::int64_t step) override {
    record_.enter(Life::working, stage, step);
  }

  void enter_harness(std::string_view work, std::int64_t step) override {
    record_.enter(Life::harness, work, step);
  }

 private:
  void state(const Statement& mine);
  void exchange(const Statement& statement, std::span<const void* const> send,
                std::span<void* const> recv);
  void sum(const Statement& statement, std::span<const void* const> send,
           std::span<void* const> recv, std::int32_t dtype);
  void move_blocks(Group group, bool gather, std::size_t bytes, const void* send, void* recv);

  MPI_Comm communicator_;
  Record& record_;
  int rank_ = 0;
  bool broken_ = false;                // the ranks disagreed: nothing more is said
  std::vector<Statement> statements_;  // of every rank, at the last collective
  std::unique_ptr<std::byte[]> gathered_;
};

// Tells every rank of the world what this one enters and learns what they do. All see the same
// list, so all go on or none does.
void MpiWorld::state(const Statement& mine) {
  if (broken_) throw SubjectError("the ranks of this world have disagreed on a collective before");
  constexpr int words = sizeof(Statement) / sizeof(std::int64_t);
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Iallgather(&mine, words, MPI_INT64_T, statements_.data(), words, MPI_INT64_T, communicator_,
                 &request);
  await(record_, {&request, 1});
  broken_ = true;
  check_agreement(statements_);
  broken_ = false;
}

void MpiWorld::exchange(const Statement& statement, std::span<const void* const> send,
                        std::span<void* const> recv) {
  check_buffers(statement, send.size(), recv.size(), 1);
  state(statement);
  move_blocks(statement.group, statement.kind == Collective::all_gather,
              static_cast<std::size_t>(statement.value), send.front(), recv.front());
}

// Every rank's part is brought here and added in rank order, as the simulated world does.
void MpiWorld::sum(const Statement& statement, std::span<const void* const> send,
                   std::span<void* const> recv, std::int32_t dtype) {
  check_buffers(statement, send.size(), recv.size(), 1);
  state(statement);
  const auto members = static_cast<std::size_t>(group_size(statement.group));
  const std::size_t bytes =
      static_cast<std::size_t>(statement.value) * size_of(static_cast<Dtype>(dtype));
  const auto parts = std::make_unique_for_overwrite<std::byte[]>(members * bytes);
  move_blocks(statement.group, statement.kind == Collective::all_reduce, bytes, send.front(),
              parts.get());
  std::vector<const void*> places;
  for (std::size_t member = 0; member < members; ++member) {
    places.push_back(parts.get() + member * bytes);
  }
  memory().sum({places, recv, group_size(statement.group), statement.value, dtype, false});
}

// Blocks of `bytes` to and from every member of the group.
void MpiWorld::move_blocks(Group group, bool gather, std::size_t bytes, const void* send,
                           void* recv) {
  const int begin = group_begin(group, rank_);
  const auto* from = static_cast<const std::byte*>(send);
  auto* to = static_cast<std::byte*>(recv);
  Transfers transfers(communicator_);
  for (int member = 0; member < group_size(group); ++member) {
    const auto block = static_cast<std::size_t>(member) * bytes;
    const std::byte* mine = gather ? from : from + block;
    if (begin + member == rank_) {
      if (bytes > 0) std::memcpy(to + block, mine, bytes);
      continue;
    }
    transfers.receive(to + block, bytes, begin + member);
    transfers.send(mine, bytes, begin + member);
  }
  transfers.finish(record_);
}

std::vector<Bytes> MpiWorld::gather_to_root(std::span<const Bytes> local) {
  const Statement mine{Collective::gather_to_root, Group::all, -1,
                       local.empty() ? 0 : static_cast<std::int64_t>(local.front().size())};
  check_buffers(mine, local.size(), local.size(), 1);
  state(mine);
  Transfers transfers(communicator_);
  std::vector<Bytes> all;
  if (rank_ != 0) {
    transfers.send(local.front().data(), local.front().size(), 0);
  } else {
    std::size_t total = 0;
    for (int rank = 1; rank < size(); ++rank) {
      total += static_cast<std::size_t>(statements_[static_cast<std::size_t>(rank)].value);
    }
    gathered_ = std::make_unique_for_overwrite<std::byte[]>(total);
    all.push_back(local.front());
    std::byte* place = gathered_.get();
    for (int rank = 1; rank < size(); ++rank) {
      const auto bytes =
          static_cast<std::size_t>(statements_[static_cast<std::size_t>(rank)].value);
      transfers.receive(place, bytes, rank);
      all.emplace_back(place, bytes);
      place += bytes;
    }
  }
  transfers.finish(record_);
  return all;
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

std::unique_ptr<World> make_mpi_world(MPI_Comm communicator, int kvp, int tpa, Record& record) {
  return std::make_unique<MpiWorld>(communicator, kvp, tpa, record);
}

}  // namespace helixcheck::mpi
