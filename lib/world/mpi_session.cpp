// A process inside an mpirun job: MPI from start to end, with the watchdog over all of it.

#include <array>
#include <fmt/format.h>
#include <mpi.h>
#include <optional>
#include <unistd.h>

#include "device/cuda.hpp"
#include "scenario/error.hpp"
#include "world/mpi.hpp"
#include "world/mpi_launch.hpp"
#include "world/mpi_world.hpp"
#include "world/watchdog.hpp"

namespace helixcheck::mpi {
namespace {

int rank_in(MPI_Comm communicator) {
  int rank = 0;
  MPI_Comm_rank(communicator, &rank);
  return rank;
}

int size_of(MPI_Comm communicator) {
  int size = 0;
  MPI_Comm_size(communicator, &size);
  return size;
}

// MPI itself, and the ranks of this host.
class Library {
 public:
  Library() {
    int provided = 0;
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank_in(MPI_COMM_WORLD),
                        MPI_INFO_NULL, &host_);
  }
  ~Library() {
    MPI_Comm_free(&host_);
    MPI_Finalize();
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  MPI_Comm host() const { return host_; }

 private:
  MPI_Comm host_ = MPI_COMM_NULL;
};

// Collective over the ranks of a host: the first makes the board, the others map it.
std::unique_ptr<Board> share_board(MPI_Comm host) {
  const int ranks = size_of(host);
  std::unique_ptr<Board> board;
  std::array<int, 2> maker = {getpid(), -1};
  if (rank_in(host) == 0) {
    board = std::make_unique<Board>(ranks);
    maker[1] = board->descriptor();
  }
  MPI_Bcast(maker.data(), 2, MPI_INT, 0, host);
  if (rank_in(host) != 0) board = std::make_unique<Board>(maker[0], maker[1], ranks);
  const auto self = static_cast<std::size_t>(rank_in(host));
  board->records()[self].open(rank_in(MPI_COMM_WORLD), getpid());
  MPI_Barrier(host);
  board->close_descriptor();
  return board;
}

}  // namespace

// Members end in reverse order: the watchdog after MPI, whose end may hang as well.
struct Session::Impl {
  explicit Impl(std::chrono::seconds hang_limit) {
    library.emplace();
    board = share_board(library->host());
    self = static_cast<std::size_t>(rank_in(library->host()));
    const bool whole_job = size_of(library->host()) == size_of(MPI_COMM_WORLD);
    watchdog.emplace(*board, WatchOrder{self, whole_job, hang_limit});
    transports.emplace(record());
    cuda::use_local_rank(static_cast<int>(self));
  }
  ~Impl() {
    arrive();
    record().enter(Life::working, "end", -1);
    transports->end_nccl();
    record().change(Life::finished);
    library.reset();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Record& record() const { return board->records()[self]; }
  JobParts parts() { return {record(), *watchdog, *transports}; }
  // Waits for every rank of the job.
  void arrive() const {
    MPI_Request arrival = MPI_REQUEST_NULL;
    MPI_Ibarrier(MPI_COMM_WORLD, &arrival);
    await(record(), {&arrival, 1});
  }

  TerminationBlock block;
  std::optional<Library> library;
  std::unique_ptr<Board> board;
  std::size_t self = 0;
  std::optional<Watchdog> watchdog;
  std::optional<DeviceTransports> transports;
};

Session::Session(std::chrono::seconds hang_limit) : impl_(std::make_unique<Impl>(hang_limit)) {
  if (rank() == 0) tell_launcher();
}

Session::~Session() = default;

int Session::rank() const {
  return rank_in(MPI_COMM_WORLD);
}
int Session::size() const {
  return size_of(MPI_COMM_WORLD);
}

std::unique_ptr<World> Session::make_world(int kvp, int tpa, TransportKind transport) {
  const int ranks = kvp * tpa;
  if (ranks > size()) {
    throw ResourceError(fmt::format("a world of kvp {} x tpa {} needs {} ranks, the MPI job has {}",
                                    kvp, tpa, ranks, size()));
  }
  impl_->arrive();
  MPI_Comm members = MPI_COMM_NULL;
  MPI_Comm_split(MPI_COMM_WORLD, rank() < ranks ? 0 : MPI_UNDEFINED, rank(), &members);
  if (members == MPI_COMM_NULL) return nullptr;
  return make_mpi_world(members, {kvp, tpa, transport}, impl_->parts());
}

std::vector<std::string> Session::exchange_texts(const std::string& mine) {
  const auto ranks = static_cast<std::size_t>(size());
  const int length = static_cast<int>(mine.size());
  std::vector<int> lengths(ranks), begins(ranks, 0);
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Iallgather(&length, 1, MPI_INT, lengths.data(), 1, MPI_INT, MPI_COMM_WORLD, &request);
  await(impl_->record(), {&request, 1});
  for (std::size_t rank = 1; rank < ranks; ++rank) {
    begins[rank] = begins[rank - 1] + lengths[rank - 1];
  }
  std::string all(static_cast<std::size_t>(begins.back() + lengths.back()), ' ');
  MPI_Iallgatherv(mine.data(), length, MPI_CHAR, all.data(), lengths.data(), begins.data(),
                  MPI_CHAR, MPI_COMM_WORLD, &request);
  await(impl_->record(), {&request, 1});
  std::vector<std::string> texts;
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    texts.push_back(all.substr(static_cast<std::size_t>(begins[rank]),
                               static_cast<std::size_t>(lengths[rank])));
  }
  return texts;
}

void Session::abort(int status, const std::string& why) {
  impl_->watchdog->report(impl_->record(), "gave up", why);
  Watchdog::end_job(status);
}

bool available() {
  return true;
}

std::string library() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  MPI_Get_library_version(text.data(), &length);
  const std::string version(text.data());
  return version.substr(0, version.find(','));
}

}  // namespace helixcheck::mpi
