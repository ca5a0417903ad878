// Records in an anonymous memory file that the ranks of a host reach through /proc, and the state
// of a process as the kernel sees it.

#include "world/heartbeat.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <new>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scenario/error.hpp"

namespace helixcheck::mpi {

void Record::open(int rank, int pid) {
  rank_ = rank;
  pid_ = pid;
  enter(Life::harness, "start", -1);
}

void Record::enter(Life life, std::string_view stage, std::int64_t step) {
  const std::size_t length = std::min(stage.size(), stage_.size() - 1);
  for (std::size_t i = 0; i < length; ++i) stage_[i].store(stage[i], std::memory_order_relaxed);
  stage_[length].store('\0', std::memory_order_relaxed);
  step_ = step;
  change(life);
}

Life Record::change(Life life) {
  ++beats_;
  return life_.exchange(life);
}

std::string_view Record::stage(std::span<char, 32> buffer) const {
  std::size_t length = 0;
  while (length < stage_.size() && stage_[length] != '\0') {
    buffer[length] = stage_[length];
    ++length;
  }
  return {buffer.data(), length};
}

struct Board::Layout {
  std::atomic<bool> claimed{false};
};

namespace {

// The claim has a cache line of its own, and so has each record.
constexpr std::size_t kHeader = 64;
static_assert(sizeof(Record) == 64);

ResourceError unavailable(const char* what) {
  return ResourceError(
      fmt::format("the MPI watchdog cannot {} its shared memory: {}", what, std::strerror(errno)));
}

}  // namespace

Board::Board(int ranks)
    : descriptor_(memfd_create("helixcheck-heartbeat", MFD_CLOEXEC)), ranks_(ranks) {
  if (descriptor_ < 0) throw unavailable("create");
  if (ftruncate(descriptor_, static_cast<off_t>(bytes())) != 0) throw unavailable("size");
  map();
  new (layout_) Layout;
  for (int i = 0; i < ranks; ++i) new (records_ + i) Record;
}

Board::Board(int pid, int descriptor, int ranks)
    : descriptor_(
          ::open(fmt::format("/proc/{}/fd/{}", pid, descriptor).c_str(), O_RDWR | O_CLOEXEC)),
      ranks_(ranks) {
  if (descriptor_ < 0) throw unavailable("open");
  map();
}

Board::~Board() {
  close_descriptor();
  munmap(layout_, bytes());
}

std::size_t Board::bytes() const {
  return kHeader + static_cast<std::size_t>(ranks_) * sizeof(Record);
}

void Board::map() {
  void* memory = mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0);
  if (memory == MAP_FAILED) throw unavailable("map");
  layout_ = static_cast<Layout*>(memory);
  records_ = reinterpret_cast<Record*>(static_cast<std::byte*>(memory) + kHeader);
}

void Board::close_descriptor() {
  if (descriptor_ >= 0) close(descriptor_);
  descriptor_ = -1;
}

bool Board::claim_report() {
  return !layout_->claimed.exchange(true);
}

Process process_state(int pid) {
  std::array<char, 512> text{};
  char path[32] = "/proc/";
  *fmt::format_to(path + 6, "{}/stat", pid) = '\0';
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t length = file < 0 ? -1 : read(file, text.data(), text.size());
  if (file >= 0) close(file);
  if (length <= 0) return kill(pid, 0) == 0 || errno == EPERM ? Process::alive : Process::dead;
  // "pid (name) state ...", where the name may hold anything.
  const std::string_view stat(text.data(), static_cast<std::size_t>(length));
  const std::size_t name_end = stat.rfind(") ");
  const char state = name_end + 2 < stat.size() ? stat[name_end + 2] : 'R';
  if (state == 'Z' || state == 'X') return Process::dead;
  return state == 'T' || state == 't' ? Process::stopped : Process::alive;
}

}  // namespace helixcheck::mpi
