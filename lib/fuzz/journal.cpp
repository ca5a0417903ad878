// Serial numbers tell where the worker is: entry `begun` runs unless `ended` has reached it. The
// slot of the next entry is written before `begun` moves on, so that what `begun` names is whole.

#include "fuzz/journal.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scenario/error.hpp"

namespace helixcheck {
namespace {

constexpr std::array<char, 16> kMagic{"helixcheck-j-1"};

// Of the host's clock that never jumps.
std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

struct CaseJournal::Slot {
  std::uint64_t index;
  std::uint32_t property_bytes, scenario_bytes;
  std::array<char, kSlotBytes - 16> text;
};

struct CaseJournal::Layout {
  std::array<char, 16> magic;
  std::atomic<std::uint64_t> begun, ended;
  std::atomic<std::int64_t> began_ns;
  alignas(64) mpi::Record life;
  alignas(4096) std::array<Slot, kSlots> slots;
};

CaseJournal::CaseJournal(const std::filesystem::path& file) : file_(file) {
  const auto fail = [&](const char* what, int error) {
    throw ResourceError(
        fmt::format("journal {}: cannot be {}: {}", file.string(), what, std::strerror(error)));
  };
  const int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) fail("opened", errno);
  if (const int error = posix_fallocate(descriptor, 0, sizeof(Layout)); error != 0) {
    close(descriptor);
    fail("given its space on disk", error);
  }
  void* memory = mmap(nullptr, sizeof(Layout), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  const int error = errno;
  close(descriptor);
  if (memory == MAP_FAILED) fail("mapped", error);
  layout_ = static_cast<Layout*>(memory);
  if (layout_->magic != kMagic) {
    clear();
    layout_->magic = kMagic;
  }
}

CaseJournal::~CaseJournal() {
  munmap(layout_, sizeof(Layout));
}

CaseJournal::Slot& CaseJournal::slot(std::uint64_t serial) const {
  return layout_->slots[serial % kSlots];
}

bool CaseJournal::begin(std::uint64_t index, std::string_view property, std::string_view scenario) {
  const std::uint64_t serial = layout_->begun + 1;
  Slot& to = slot(serial);
  if (property.size() + scenario.size() > to.text.size()) return false;
  to.index = index;
  to.property_bytes = static_cast<std::uint32_t>(property.size());
  to.scenario_bytes = static_cast<std::uint32_t>(scenario.size());
  std::copy(property.begin(), property.end(), to.text.begin());
  std::copy(scenario.begin(), scenario.end(), to.text.begin() + to.property_bytes);
  life().enter(mpi::Life::harness, "start", -1);
  layout_->began_ns = now_ns();
  layout_->begun = serial;
  return true;
}

void CaseJournal::end() {
  layout_->ended = layout_->begun.load();
}

mpi::Record& CaseJournal::life() {
  return layout_->life;
}

CaseJournal::Entry CaseJournal::entry(std::uint64_t serial) const {
  const Slot& from = slot(serial);
  const std::size_t property = std::min<std::size_t>(from.property_bytes, from.text.size());
  const std::size_t scenario =
      std::min<std::size_t>(from.scenario_bytes, from.text.size() - property);
  return {from.index, std::string(from.text.data(), property),
          std::string(from.text.data() + property, scenario)};
}

std::optional<CaseJournal::Entry> CaseJournal::running() const {
  const std::uint64_t serial = layout_->begun;
  if (layout_->ended >= serial) return std::nullopt;
  return entry(serial);
}

double CaseJournal::running_seconds() const {
  if (layout_->ended >= layout_->begun) return 0;
  return static_cast<double>(now_ns() - layout_->began_ns) * 1e-9;
}

// The oldest slot may be in the writing.
std::vector<CaseJournal::Entry> CaseJournal::finished() const {
  const std::uint64_t last = std::min<std::uint64_t>(layout_->ended, layout_->begun);
  const std::uint64_t first = layout_->begun >= kSlots ? layout_->begun - kSlots + 2 : 1;
  std::vector<Entry> entries;
  for (std::uint64_t serial = first; serial <= last; ++serial) entries.push_back(entry(serial));
  return entries;
}

std::uint64_t CaseJournal::begun() const {
  return layout_->begun;
}

void CaseJournal::clear() {
  layout_->begun = 0;
  layout_->ended = 0;
  layout_->began_ns = 0;
  life().enter(mpi::Life::harness, "start", -1);
}

}  // namespace helixcheck
