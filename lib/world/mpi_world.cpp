// Before each collective every rank of the world states what it enters and all check that they
// agree; then a transport moves the data. What fails after that fails for one rank alone, and the
// others may be waiting for it where no message reaches them, inside NCCL: so it ends the job.

#include "world/mpi_world.hpp"

#include "scenario/error.hpp"
#include "world/statement.hpp"

namespace helixcheck::mpi {
namespace {

// Exit statuses of a job that is given up, as the command has them.
constexpr int kFinding = 1, kMissingResource = 3;

class MpiWorld final : public World {
 public:
  MpiWorld(MPI_Comm communicator, const WorldShape& shape, const JobParts& job)
      : World(shape.kvp, shape.tpa),
        communicator_(communicator),
        job_(job),
        wish_(shape.transport),
        statements_(static_cast<std::size_t>(shape.kvp * shape.tpa)),
        host_(communicator, shape.kvp, job.record),
        staged_(host_, job.transports.staging(), shape.kvp, shape.kvp * shape.tpa) {
    MPI_Comm_rank(communicator_, &rank_);
  }

  ~MpiWorld() override {
    settle();  // ends the job if it cannot
    try {
      state({Collective::leave});
    } catch (const SubjectError&) {
      // The ranks that are still in a collective report it; this one is on its way out already.
    }
    MPI_Comm_free(&communicator_);
    job_.record.enter(Life::harness, "between worlds", -1);
  }

  std::string_view name() const override { return "mpi"; }
  bool recordable() const override { return transport_ != &host_ && transport_ != &staged_; }
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
    sum({Collective::all_reduce, group, step, count, dtype}, send, recv);
  }

  void reduce_scatter(Group group, std::span<const void* const> send, std::span<void* const> recv,
                      std::int64_t count, std::int32_t dtype, std::int64_t step) override {
    sum({Collective::reduce_scatter, group, step, count, dtype}, send, recv);
  }

  void use(Memory& memory) override;

  std::vector<Bytes> gather_to_root(std::span<const Bytes> local) override;

  bool agree(bool root_says) override {
    state({Collective::agree, Group::all, -1, root_says ? 1 : 0});
    return statements_.front().value != 0;
  }

  void enter(std::string_view stage, std::int64_t step) override {
    job_.record.enter(Life::working, stage, step);
  }

  void enter_harness(std::string_view work, std::int64_t step) override {
    settle();
    job_.record.enter(Life::harness, work, step);
  }

 private:
  void state(const Statement& mine);
  void exchange(const Statement& statement, std::span<const void* const> send,
                std::span<void* const> recv);
  void sum(const Statement& statement, std::span<const void* const> send,
           std::span<void* const> recv);
  void settle();
  template <typename Work>
  void alone(int status, Work work);
  void give_up(int status, const std::exception& error);

  MPI_Comm communicator_;
  JobParts job_;
  TransportKind wish_;
  int rank_ = 0;
  bool broken_ = false;                // the ranks disagreed: nothing more is said
  std::vector<Statement> statements_;  // of every rank, at the last collective
  HostTransport host_;
  StagedTransport staged_;
  Transport* transport_ = &host_;
  Memory* chosen_for_ = nullptr;  // the device memory that transport_ was chosen for
  bool in_flight_ = false;        // a collective between GPUs may not be done
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
  await(job_.record, {&request, 1});
  broken_ = true;
  check_agreement(statements_);
  broken_ = false;
}

// Work whose failure the other ranks do not see. A subject's error they do: they have agreed on
// the arguments.
template <typename Work>
void MpiWorld::alone(int status, Work work) {
  try {
    work();
  } catch (const DeviceFault& error) {
    give_up(status, error);
  } catch (const SubjectError&) {
    throw;
  } catch (const std::exception& error) {
    give_up(status, error);
  }
}

void MpiWorld::give_up(int status, const std::exception& error) {
  {
    job_.watchdog.report(job_.record, "gave up", error.what());
    Watchdog::end_job(status);
  }
}

void MpiWorld::use(Memory& memory) {
  settle();
  World::use(memory);
  if (memory.is_host()) {
    transport_ = &host_;
    chosen_for_ = nullptr;
    return;
  }
  if (chosen_for_ == &memory) return;
  job_.record.enter(Life::working, "transport", -1);  // NCCL's start may hang like a stage
  state({Collective::connect, Group::all, -1, static_cast<std::int64_t>(wish_)});
  const Ranks ranks{communicator_, rank_, size(), kvp()};
  if (job_.transports.nccl_serves(wish_, memory, ranks)) {
    alone(kMissingResource, [&] { transport_ = &job_.transports.nccl(wish_, memory, ranks); });
  } else {
    transport_ = &staged_;
  }
  chosen_for_ = &memory;
  job_.record.enter(Life::harness, "transport", -1);
}

void MpiWorld::exchange(const Statement& statement, std::span<const void* const> send,
                        std::span<void* const> recv) {
  check_buffers(statement, send.size(), recv.size(), 1);
  state(statement);
  in_flight_ = transport_ != &host_;
  alone(kFinding, [&] {
    transport_->move(memory(), {statement.group, send.front(), recv.front(),
                                static_cast<std::size_t>(statement.value),
                                statement.kind == Collective::all_gather});
  });
}

void MpiWorld::sum(const Statement& statement, std::span<const void* const> send,
                   std::span<void* const> recv) {
  check_buffers(statement, send.size(), recv.size(), 1);
  state(statement);
  in_flight_ = transport_ != &host_;
  alone(kFinding, [&] {
    transport_->add(memory(), {statement.group, send.front(), recv.front(), statement.value,
                               static_cast<std::int32_t>(statement.dtype),
                               statement.kind == Collective::reduce_scatter});
  });
}

// Waits for collectives between GPUs while the watchdog still sees this rank in the stage that
// entered them: one that never ends is that stage's hang. The harness's own work has no limit.
void MpiWorld::settle() {
  if (!in_flight_) return;
  in_flight_ = false;
  alone(kFinding, [&] { transport_->settle(memory()); });
}

std::vector<Bytes> MpiWorld::gather_to_root(std::span<const Bytes> local) {
  const Statement mine{Collective::gather_to_root, Group::all, -1,
                       local.empty() ? 0 : static_cast<std::int64_t>(local.front().size())};
  check_buffers(mine, local.size(), local.size(), 1);
  settle();
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
  transfers.finish(job_.record);
  return all;
}

}  // namespace

std::unique_ptr<World> make_mpi_world(MPI_Comm communicator, const WorldShape& shape,
                                      const JobParts& job) {
  return std::make_unique<MpiWorld>(communicator, shape, job);
}

}  // namespace helixcheck::mpi
